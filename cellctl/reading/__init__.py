"""Nodes of a file -> a pydantic model, or findings that say where and why they do not fit it.

The models are the grammar of what people write; this package knows none of them. It turns what pydantic says about
data into what a person can mend: at its place, once, with a suggestion.
"""

from cellctl.reading.validate import fault, read

__all__ = ["fault", "read"]
