"""The interfaces of every environment, written once: parallel (PettingZoo), vector and dispatcher (Gymnasium).

An environment brings a `crowdgym.envs.api.definition.Simulation` (B copies side by side), an
`crowdgym.envs.api.definition.EnvironmentDefinition` that holds everything in which it differs from others, and for each
interface a class with the docstring and the constructor's keywords. The code here knows no setting: what differs
between environments is a method of its definition, never a flag here.
"""
