"""Check-ins of real people: read, filtered, and put on the roads of a dataset."""
