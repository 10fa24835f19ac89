"""The simulation of CSC: arrays and compiled loops. Nothing here knows PettingZoo."""
