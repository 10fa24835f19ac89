"""Road networks, order streams and datasets. Imports no other part of CrowdGym."""
