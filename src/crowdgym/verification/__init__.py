"""Solution checkers: they confirm recorded episodes and share no code with the kernels."""
