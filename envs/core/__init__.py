"""The simulation that all environments share: travel, payment, neighbours, seeds. No PettingZoo in it."""
