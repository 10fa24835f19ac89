"""Upper bounds on what any policy can earn in an instance: results can be read as a share of what is possible."""
