"""Environments, one folder for each problem setting."""
