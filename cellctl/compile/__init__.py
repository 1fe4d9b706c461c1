"""A recipe and a line -> an executable recipe, or findings that say why the line cannot make it."""
