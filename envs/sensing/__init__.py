"""Multi-attribute sensing: who measures where, when the rest has to be inferred."""
