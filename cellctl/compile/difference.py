"""Two lists of described things -> what is different between them, in physical terms. Pure.

A thing (a step, a device, a station) is an `Item`: a name and its facts. What the facts of recipes and lines are, say
`cellctl.compile.recipe_facts` and `cellctl.compile.line_facts`. No item differs from itself, and the differences from
B to A are those from A to B the other way round.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from cellctl.device import Pose
from cellctl.units import Dimension, Quantity, Tolerance, show

Fact: TypeAlias = str | bool | int | float | Quantity | Tolerance | Pose

# A percentage means nothing where zero is only a convention, and is mistaken for the value where that is a ratio.
_WITHOUT_PERCENT = {Dimension.LENGTH, Dimension.ANGLE, Dimension.TEMPERATURE, Dimension.RATIO}
_SAME_PLACE = 1e-9  # [m]
_SAME_WAY = 1e-9  # [rad]


class How(StrEnum):
    """In which way something is different."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True)
class Item:
    """A thing with a name, and what is so about it. Facts that are `usual` go without saying in a summary."""

    of: str  # what it is: "step", "station", "device"
    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    usual: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `what` is the fact that changed; `old` and `new` as people write them; `by` how much it is."""

    how: How
    of: str
    name: str
    what: str = ""
    old: str = ""
    new: str = ""
    by: str = ""
    old_si: float | None = None
    new_si: float | None = None
    dimension: str = ""

    def as_json(self) -> dict[str, str | float]:
        """As plain data, without what is empty."""
        found = {key: getattr(self, key) for key in self.__dataclass_fields__}
        return {key: value for key, value in found.items() if value not in ("", None)}


def differences(old: Sequence[Item], new: Sequence[Item], *, ordered: bool = False) -> tuple[Change, ...]:
    """What makes the new items of the old ones, in their order. With `ordered`, their order is a fact, too."""
    before, after = {item.name: item for item in old}, {item.name: item for item in new}
    renamed = _renamed(before, after)
    before = {renamed.get(name, name): item for name, item in before.items()}
    moved = _moved(list(before), list(after)) if ordered else set()
    found: list[Change] = []
    for name in _merged(list(before), list(after)):
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            found.append(Change(How.ADDED, now.of, name, new=summary(now, _place(name, after, ordered))))
        elif was is not None and now is None:
            found.append(Change(How.REMOVED, was.of, name, old=summary(was, _place(name, before, ordered))))
        elif was is not None and now is not None:
            if was.name != name:
                found.append(Change(How.RENAMED, now.of, name, old=was.name, new=name))
            if name in moved:
                places = [_place(name, each, ordered) for each in (before, after)]
                found.append(Change(How.MOVED, now.of, name, old=places[0], new=places[1]))
            found += _changed(was, now)
    return tuple(found)


def _renamed(before: Mapping[str, Item], after: Mapping[str, Item]) -> dict[str, str]:
    """Old name -> new name of each item that lost its name and nothing else; items without facts tell nothing."""
    free = [item for name, item in after.items() if name not in before and item.facts]
    found = {}
    for name, item in before.items():
        alike = next((each for each in free if each.facts == item.facts), None)
        if name not in after and alike is not None:
            found[name] = alike.name
            free.remove(alike)
    return found


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The fewest names that must change their place: all but a longest run that keeps its order."""
    place = {name: n for n, name in enumerate(after)}
    common = [name for name in before if name in place]
    ends: list[int] = []  # the least place with which a run of each length can end
    lengths = []
    for name in common:
        length = bisect_left(ends, place[name])
        ends[length : length + 1] = [place[name]]
        lengths.append(length)
    wanted, stays = len(ends) - 1, set()
    limit = len(after)
    for name, length in zip(reversed(common), reversed(lengths), strict=True):
        if length == wanted and place[name] < limit:
            stays.add(name)
            wanted, limit = wanted - 1, place[name]
    return set(common) - stays


def _merged(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """All names: the new order, and what is gone behind what it stood behind."""
    found = list(after)
    for n, name in enumerate(before):
        if name not in found:
            found.insert(found.index(before[n - 1]) + 1 if n else 0, name)
    return found


def _place(name: str, items: Mapping[str, Item], ordered: bool) -> str:
    if not ordered:
        return ""
    names = list(items)
    place = names.index(name)
    return f"after {names[place - 1]}" if place else "first"


def _changed(was: Item, now: Item) -> list[Change]:
    """The facts that are not the same any more, in their order."""
    found = []
    for what in _merged(list(was.facts), list(now.facts)):
        old, new = was.facts.get(what), now.facts.get(what)
        if not _same(old, new):
            found.append(_change(Change(How.CHANGED, now.of, now.name, what), old, new))
    return found


def _same(old: Fact | None, new: Fact | None) -> bool:
    if isinstance(old, Pose) and isinstance(new, Pose):
        distance, angle = _apart(old, new)
        return distance < _SAME_PLACE and angle < _SAME_WAY
    return old == new and isinstance(old, bool) is isinstance(new, bool)


def _change(change: Change, old: Fact | None, new: Fact | None) -> Change:
    texts = ["" if fact is None else shown(fact) for fact in (old, new)]
    change = replace(change, old=texts[0], new=texts[1])
    match old, new:
        case Quantity(), Quantity() if old.dimension is new.dimension:
            by = _and_percent(_difference(old, new), old, new)
            return replace(change, by=by, old_si=old.value, new_si=new.value, dimension=old.dimension.value)
        case Tolerance(), Tolerance() if old.dimension is new.dimension:
            si = {"old_si": old.nominal, "new_si": new.nominal, "dimension": old.dimension.value}
            return replace(change, by=_between_tolerances(old, new), **si)  # type: ignore[arg-type]
        case Pose(), Pose():
            distance, angle = _apart(old, new)
            parts = [f"{distance * 1e3:.4g} mm away"] if distance >= _SAME_PLACE else []
            parts += [f"turned by {angle * _DEGREES:.4g} deg"] if angle >= _SAME_WAY else []
            return replace(change, by=", ".join(parts))
        case int() | float(), int() | float() if not isinstance(old, bool) and not isinstance(new, bool):
            return replace(change, by=f"{Decimal(repr(new)) - Decimal(repr(old)):+}")
    return change


# --- how much -----------------------------------------------------------------------------------------------------

_DEGREES = 57.29577951308232  # [deg/rad]


def _difference(old: Quantity, new: Quantity) -> str:
    """By how much, in the unit in which both are shown; computed with the digits that are shown."""
    if old.dimension is Dimension.TEMPERATURE:
        return f"{_signed(Decimal(repr(new.value)) - Decimal(repr(old.value)))} K"
    (was, _), (now, unit) = (show(each).split(" ") for each in (old, new))
    is_ratio = old.dimension is Dimension.RATIO
    return f"{_signed(Decimal(now) - Decimal(was))} {'points' if is_ratio else unit}"


def _signed(number: Decimal) -> str:
    return f"{number.normalize() + 0:+f}"


def _and_percent(difference: str, old: Quantity, new: Quantity) -> str:
    if old.dimension in _WITHOUT_PERCENT or not old.value:
        return difference
    percent = (new.value - old.value) / abs(old.value) * 100
    digits = 0 if abs(percent) >= 10 else 1
    return f"{difference}, {percent:+.{digits}f} %"


def _between_tolerances(old: Tolerance, new: Tolerance) -> str:
    """The nominal value's difference, and whether the band is wider."""
    nominals = [Quantity(each.nominal, each.dimension) for each in (old, new)]
    parts = [] if nominals[0] == nominals[1] else [_difference(*nominals)]
    widths = [Decimal(repr(each.upper)) - Decimal(repr(each.lower)) for each in (old, new)]
    if widths[0] != widths[1]:
        parts.append("narrower" if widths[1] < widths[0] else "wider")
    return ", ".join(parts)


def _apart(old: Pose, new: Pose) -> tuple[float, float]:
    """How far two poses are from each other: a distance [m], and the one angle [rad] that turns one into the other."""
    from math import asin, dist, pi, sqrt

    import numpy as np

    from cellctl.motion.transforms import from_xyz_euler

    R, S = (from_xyz_euler((0, 0, 0), (p.alpha, p.beta, p.gamma))[:3, :3] for p in (old, new))
    chord = float(np.linalg.norm(R - S)) / (
        2 * sqrt(2)
    )  # the sine of half the angle, exact where it is small
    away = dist((old.x, old.y, old.z), (new.x, new.y, new.z))
    return away, 2 * asin(chord) if chord < 1 else pi


# --- words --------------------------------------------------------------------------------------------------------


def shown(fact: Fact) -> str:
    """A fact as people write it."""
    match fact:
        case Quantity() | Tolerance():
            return show(fact)
        case Pose():
            return _pose(fact)
        case bool():
            return "true" if fact else "false"
        case float():
            return f"{fact:.12g}"
        case _:
            return str(fact)


def _pose(pose: Pose) -> str:
    lengths = [f"{name} {_short(getattr(pose, name) * 1e3)} mm" for name in ("x", "y", "z")]
    angles = [f"{name} {_short(getattr(pose, name) * _DEGREES)} deg" for name in ("alpha", "beta", "gamma")]
    return ", ".join([*lengths, *(angle for angle in angles if " 0 " not in angle)])


def _short(number: float) -> str:
    return f"{round(number, 6) + 0.0:.10g}"


def summary(item: Item, *more: str) -> str:
    """The facts of an item in one line, but for the usual ones; what a step does without its key."""
    told = {what: shown(fact) for what, fact in item.facts.items() if what not in item.usual}
    facts = [text if what == "do" else f"{what} {text}" for what, text in told.items()]
    return ", ".join(part for part in (*facts, *more) if part)
