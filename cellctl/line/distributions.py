"""How long something takes when it does not always take the same: distributions of durations, as line files have them.

    takes: 4 s                                            # always
    takes: {exponential: 4 s}                             # its mean
    takes: {uniform: [3 s, 5 s]}                          # evenly between the two
    takes: {lognormal: {mean: 4 s, deviation: 1 s}}
    takes: {empirical: [3.9 s, 4.1 s, 4.0 s, 7.2 s]}      # as measured, each as likely as the others
    takes: {quantiles: {0 %: 3 s, 50 %: 4 s, 100 %: 9 s}} # as reported, straight lines between them
    fails: {after: {exponential: 2 h}, repair: {lognormal: {mean: 6 min, deviation: 4 min}}}

Each draws by the inverse of its distribution function, one random number for one duration (Law, Simulation Modeling
and Analysis, 5th edition, 8.2.1). So the same stream gives the same durations, and of two lines that differ in one
machine the other machines take the same times: what a comparison needs.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    model_validator,
)
from pydantic_core import CoreSchema

from cellctl.errors import nearest
from cellctl.reading import fault
from cellctl.reading.codes import DOES_NOT_FIT, NOT_A_CHOICE, OUT_OF_RANGE
from cellctl.runtime import RandomStream
from cellctl.units import EXAMPLES, UNITS_OF, Dimension, Quantity, pattern, show
from cellctl.written import Between, Duration, Ratio, Written

Time = Annotated[Duration, Between("0 s", "10000 h")]
LEAST_LIFE = 1e-3  # [s] from one breakdown to the next, on average: less would be no machine
SMALLEST = 2.0**-54  # stands for a random number of 0, where a distribution has no least value


class Law(Written):
    """One distribution of durations, by the name of its only key. `draw` is one duration [s]."""

    @property
    def mean(self) -> float:
        """Its mean [s]."""
        raise NotImplementedError

    def quantile(self, p: float) -> float:
        """The duration that a share `p` of all, 0 <= p < 1, does not exceed [s]."""
        raise NotImplementedError

    def draw(self, random: RandomStream) -> float:
        """One duration [s], for one number of the stream."""
        return self.quantile(random.random())

    @property
    def range(self) -> tuple[float, float]:
        """The shortest and the longest [s]; where there is none, all but one in a thousand on either side."""
        return self.quantile(0.001), self.quantile(0.999)


class Constant(Law):
    """Always the same; written as the duration alone."""

    constant: Time = Field(description="how long it always takes")

    @model_validator(mode="before")
    @classmethod
    def _read_alone(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping | Constant) else {"constant": value}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = ", ".join(unit.name for unit in UNITS_OF[Dimension.DURATION])
        return {
            "type": "string",
            "pattern": pattern(Dimension.DURATION),
            "examples": [EXAMPLES[Dimension.DURATION]],
            "description": f"a duration with its unit: {units}",
        }

    @property
    def mean(self) -> float:
        """Itself."""
        return self.constant

    def quantile(self, p: float) -> float:
        """Itself."""
        return self.constant


class Exponential(Law):
    """Without memory: mean m, standard deviation m."""

    exponential: Time = Field(description="its mean")

    @property
    def mean(self) -> float:
        """As written."""
        return self.exponential

    def quantile(self, p: float) -> float:
        """-m ln(1 - p)."""
        return -self.exponential * math.log1p(-p)


class Uniform(Law):
    """Evenly between the shortest and the longest."""

    uniform: list[Time] = Field(min_length=2, max_length=2, description="the shortest and the longest")

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.uniform[0] > self.uniform[1]:
            raise fault(
                DOES_NOT_FIT, "'uniform' begins with the longer of its two", "write the shorter one first"
            )
        return self

    @property
    def mean(self) -> float:
        """Half-way."""
        return math.fsum(self.uniform) / 2.0

    def quantile(self, p: float) -> float:
        """Straight from one to the other."""
        shortest, longest = self.uniform
        return shortest + p * (longest - shortest)

    @property
    def range(self) -> tuple[float, float]:
        """As written."""
        return self.uniform[0], self.uniform[1]


class Moments(Written):
    """Mean and standard deviation of the durations themselves, not of their logarithms."""

    mean: Time
    deviation: Time


class Lognormal(Law):
    """Skewed, as what people do by hand and repairs are: its logarithm is normal.

    For mean m and standard deviation s, that logarithm has the variance v = ln(1 + (s/m)^2) and the mean ln m - v/2
    (Law, 6.2.2).
    """

    lognormal: Moments

    @model_validator(mode="after")
    def _has_a_mean(self) -> Lognormal:
        if not self.lognormal.mean > 0.0:
            raise fault(OUT_OF_RANGE, "'mean' of a lognormal must be greater than 0 s", "")
        return self

    @property
    def mean(self) -> float:
        """As written."""
        return self.lognormal.mean

    def quantile(self, p: float) -> float:
        """The exponential of the normal one's."""
        from statistics import NormalDist  # here, since few lines need it

        m, s = self.lognormal.mean, self.lognormal.deviation
        variance = math.log1p((s / m) ** 2)
        z = NormalDist().inv_cdf(max(p, SMALLEST))
        return m * math.exp(math.sqrt(variance) * z - variance / 2.0)


class Empirical(Law):
    """Durations that were measured; each is as likely as the others."""

    empirical: Annotated[list[Time], Field(min_length=1), AfterValidator(sorted)] = Field(
        description="what was measured"
    )

    @property
    def mean(self) -> float:
        """Of what was measured."""
        return math.fsum(self.empirical) / len(self.empirical)

    def quantile(self, p: float) -> float:
        """One of them, the shortest first."""
        return self.empirical[int(p * len(self.empirical))]

    @property
    def range(self) -> tuple[float, float]:
        """Of what was measured."""
        return self.empirical[0], self.empirical[-1]


class Quantiles(Law):
    """A report's quantiles, with straight lines between them."""

    quantiles: dict[Ratio, Time] = Field(
        description="shares of all, from 0 % to 100 %, and what they do not exceed"
    )

    @cached_property
    def _points(self) -> list[tuple[float, float]]:
        return sorted(self.quantiles.items())

    @model_validator(mode="after")
    def _is_whole(self) -> Quantiles:
        points = self._points
        if not points or (points[0][0], points[-1][0]) != (0.0, 1.0):
            raise fault(
                DOES_NOT_FIT, "'quantiles' must go from 0 % to 100 %", "add the shortest and the longest"
            )
        for (low, short), (high, long) in pairwise(points):
            if short > long:
                why = f"'quantiles' fall from {_shown(short)} at {low:.0%} to {_shown(long)} at {high:.0%}"
                raise fault(DOES_NOT_FIT, why, "a greater share of all cannot be done sooner")
        return self

    @property
    def mean(self) -> float:
        """The area beside the polygon."""
        edges = pairwise(self._points)
        return math.fsum((q - p) * (short + long) / 2.0 for (p, short), (q, long) in edges)

    def quantile(self, p: float) -> float:
        """On the polygon."""
        points = self._points
        behind = min(bisect_right([share for share, _ in points], p), len(points) - 1)
        (low, short), (high, long) = points[behind - 1], points[behind]
        return short + (p - low) / (high - low) * (long - short)

    @property
    def range(self) -> tuple[float, float]:
        """At 0 % and 100 %."""
        return self._points[0][1], self._points[-1][1]


LAWS: dict[str, type[Law]] = {
    name: law
    for law in (Constant, Exponential, Uniform, Lognormal, Empirical, Quantiles)
    for name in law.model_fields
}


def _law_of(value: object) -> str:
    """The branch that is meant: by its key, or by a key very much like it, which is then reported as unknown.

    Empty where none is.
    """
    if isinstance(value, Law):
        return type(value).__name__
    if not isinstance(value, Mapping):
        return Constant.__name__
    key = str(next(iter(value), ""))
    found = LAWS.get(key) or next((LAWS[name] for name in nearest(key, LAWS)), None)
    return found.__name__ if found else ""


def _one_of_them(value: object) -> object:
    if not _law_of(value):
        advice = f"write a duration, such as 4 s, or one of these with its values: {', '.join(LAWS)}"
        raise fault(NOT_A_CHOICE, "no distribution is written so", advice)
    return value


Distribution: TypeAlias = Annotated[
    Annotated[Constant, Tag("Constant")]
    | Annotated[Exponential, Tag("Exponential")]
    | Annotated[Uniform, Tag("Uniform")]
    | Annotated[Lognormal, Tag("Lognormal")]
    | Annotated[Empirical, Tag("Empirical")]
    | Annotated[Quantiles, Tag("Quantiles")],
    Discriminator(_law_of),
    BeforeValidator(_one_of_them),
]


class Failures(Written):
    """Breakdowns by time in operation: a machine that stands still does not wear (operation-dependent failures)."""

    after: Distribution = Field(description="time in operation from a repair to the next breakdown")
    repair: Distribution = Field(description="how long it then stands still, in the middle of what it does")

    @model_validator(mode="after")
    def _works_at_all(self) -> Failures:
        if self.after.mean < LEAST_LIFE:
            raise fault(
                OUT_OF_RANGE,
                "'after' is hardly anything: the machine would never work",
                "write at least 1 ms",
            )
        return self

    @property
    def availability(self) -> float:
        """The share of its busy time in which it works: mean of `after`, over that and the mean repair."""
        return self.after.mean / (self.after.mean + self.repair.mean)


def _shown(seconds: float) -> str:
    return show(Quantity(seconds, Dimension.DURATION))
