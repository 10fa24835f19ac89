"""Rules that read only action masks, so they play every environment."""
