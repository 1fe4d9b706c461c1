"""A plug-in for textbook lines: a shuttle that takes parts from place to place in no time worth speaking of."""
