"""What every environment shows to the outside, written once: parallel (PettingZoo), vector and dispatcher (Gymnasium).

An environment brings a `parts.Simulation` (B copies side by side), a `parts.EnvironmentParts` that says what to make of
it, and for each face a class that holds the docstring and the constructor's keywords. The faces know no setting: what
differs between environments is a method of its parts, never a flag here.
"""
