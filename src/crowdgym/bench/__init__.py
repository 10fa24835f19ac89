"""Suites: fixed grids of episodes that make up a benchmark, and the tables and plots made of them."""
