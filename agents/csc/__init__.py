"""PAU: task assignment by coalitions, as an exact potential game."""
