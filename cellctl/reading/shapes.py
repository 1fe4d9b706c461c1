"""Which keys a pydantic model knows, and which models may stand below them; found by its annotations."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel


def shapes_of(annotation: Any) -> Iterator[Any]:
    """The models and collections that an annotation allows, without unions, aliases and annotations around them."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from shapes_of(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from shapes_of(member)
    elif isinstance(annotation, type) and origin is None and issubclass(annotation, RootModel):
        yield from shapes_of(annotation.model_fields["root"].annotation)
    elif annotation is not NoneType:
        yield annotation


def keys_of(shape: Any) -> dict[str, Any]:
    """The annotation of each key that a model knows; empty for what is not a model."""
    if not (isinstance(shape, type) and get_origin(shape) is None and issubclass(shape, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in shape.model_fields.items()}


def shapes_inside(shape: Any, name: str | int) -> Iterator[Any]:
    """What may stand below the key or index `name` of a model or collection."""
    if keys := keys_of(shape):
        if name in keys:
            yield from shapes_of(keys[str(name)])
        return
    arguments = [argument for argument in get_args(shape) if argument is not Ellipsis]
    if get_origin(shape) is tuple and isinstance(name, int) and len(arguments) > 1:
        arguments = arguments[name : name + 1]
    if arguments:
        yield from shapes_of(arguments[-1])


def is_called(shape: Any, tag: str | int) -> bool:
    """True if pydantic calls the branch `tag`: by the model's name, or by the one value of its discriminator."""
    choices = (annotation for annotation in keys_of(shape).values() if get_origin(annotation) is Literal)
    return getattr(shape, "__name__", None) == tag or any(tag in get_args(choice) for choice in choices)
