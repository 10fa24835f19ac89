"""The simulation of DASC: arrays and compiled loops. Nothing here knows PettingZoo."""
