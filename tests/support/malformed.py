"""Values that a key of a model does not take: by its type, and by its range."""

import math
from collections.abc import Iterator
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel

# What TOML can hold, one or two of each type; whichever a key does not take breaks it.
VALUES: tuple[Any, ...] = (
    *(5, -1.5, True, "text", [], [[]], [5, "text"], {}, {"nosuch": 1}, math.nan, math.inf, -math.inf),
    *(date(2024, 1, 31), datetime(2024, 1, 31, 5), 10**30),
)


def unwrapped(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, without None and without `Annotated`."""
    if get_origin(annotation) is Annotated:
        return unwrapped(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(one for each in get_args(annotation) for one in unwrapped(each))
    return () if annotation is type(None) else (annotation,)


def takes(annotation: Any, value: Any) -> bool:
    """Whether a value of TOML is of the type that a key wants; ranges are another matter."""
    for kind in unwrapped(annotation):
        if kind is float:
            fits = type(value) in (int, float) and math.isfinite(value) and abs(value) < 2**63
        elif kind is str:  # a date without quotes reads as its text
            fits = isinstance(value, str | date)
        elif get_origin(kind) is Literal:
            fits = value in get_args(kind)
        elif get_origin(kind) is tuple:
            fits = isinstance(value, list) and all(takes(get_args(kind)[0], each) for each in value)
        elif issubclass(kind, BaseModel):
            fits = isinstance(value, dict)
        else:
            fits = type(value) is kind and value != 10**30
        if fits:
            return True
    return False


def out_of_range(metadata: list[Any]) -> Iterator[Any]:
    for bound in metadata:
        if isinstance(bound, bounds.Ge):
            assert isinstance(bound.ge, int | float)
            yield bound.ge - 1
        if isinstance(bound, bounds.Gt):
            yield bound.gt
        if isinstance(bound, bounds.Le):
            assert isinstance(bound.le, int | float)
            yield bound.le + 1
        if isinstance(bound, bounds.Lt):
            yield bound.lt
        if isinstance(bound, bounds.MinLen):
            yield []
        if pattern := getattr(bound, "pattern", None):
            assert isinstance(pattern, str)
            yield "two words"
