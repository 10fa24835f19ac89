"""Pictures of environments: a canvas, the map of a city, markers, windows and animations."""
