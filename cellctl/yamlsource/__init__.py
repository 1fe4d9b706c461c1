"""YAML 1.2 text -> values that know the line and column where they stand, or findings that say why not.

Strict on purpose: one document, core schema, no aliases, tags or merge keys, bounded size and depth. What the
values mean is not decided here.
"""

from cellctl.yamlsource.nodes import Mapping, Node, Plain, Refused, Scalar, Sequence, find
from cellctl.yamlsource.source import load, parse

__all__ = ["Mapping", "Node", "Plain", "Refused", "Scalar", "Sequence", "find", "load", "parse"]
