"""The solution checker of sensing."""
