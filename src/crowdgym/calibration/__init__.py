"""Calibration: finding the parameters that a paper leaves out, from the figures that it gives."""
