"""The simulation of sensing: arrays and compiled loops. Nothing here knows PettingZoo."""
