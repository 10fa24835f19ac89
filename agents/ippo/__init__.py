"""Independent PPO with shared parameters. PyTorch is imported here and nowhere else in CrowdGym."""
