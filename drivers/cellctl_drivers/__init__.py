"""Drivers and links that come with cellctl: one file per device, found through the entry points of `pyproject.toml`."""
