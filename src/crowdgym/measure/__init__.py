"""Measurements of speed, and the machine they were made on."""
