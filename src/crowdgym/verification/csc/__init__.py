"""The solution checker of CSC."""
