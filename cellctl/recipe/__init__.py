"""Recipes: how a product is made; the file in which people write it, and the executable form that is run."""
