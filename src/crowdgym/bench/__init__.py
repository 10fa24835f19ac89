"""Suites: fixed grids of episodes that make up a benchmark, and the tables and plots made of them."""

SUITES = {
    "sensing-paper": "sensing_v0 against tables 1 and 2 of Zhang et al. (2019)",
}
