"""Typed configurations, and the YAML files that hold every default. Imports no other part of CrowdGym."""
