"""Places to film: one file each, each a function from dice to a scene."""
