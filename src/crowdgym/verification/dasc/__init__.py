"""The solution checker of DASC."""
