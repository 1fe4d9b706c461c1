"""An inspection: measures features of the part where it stands, and holds them against what is expected."""

from __future__ import annotations

from typing import cast

from cellctl.device import Act, Gauge, Rack
from cellctl.errors import PlugInError, Refused, UnknownName
from cellctl.kinds import InspectionOptions
from cellctl.line.model import Line, Module
from cellctl.messages import Command, Limits, Value
from cellctl.modules.kind import Ran
from cellctl.modules.stationary import Stationary

EXPECT = "expect."  # a command's parameter `expect.height` has the limits of the feature `height`


class Inspection(Stationary):
    """One gauge at a station. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, InspectionOptions):
            raise PlugInError(f"{module.name}: an inspection's options are InspectionOptions")
        super().__init__(module, line, rack)
        self._features = module.options.features

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill or feature that it does not have, Refused for what are no limits."""
        if command.skill != "measure":
            raise UnknownName("skill of an inspection", command.skill, ("measure",))
        self._expected(command)

    async def run(self, command: Command, act: Act) -> Ran:
        """Measure what is expected; all features where nothing is."""
        expected = self._expected(command)
        results: dict[str, Value] = {}
        outside = []
        for feature in expected or dict.fromkeys(self._features):
            value = await act(self._gauge.measure(feature))
            results[feature] = value
            limits = expected.get(feature)
            if limits is not None and not limits.lower <= value <= limits.upper:
                outside.append(f"{feature} is {value:g}, outside {limits.lower:g} to {limits.upper:g}")
        return Ran("reject", results, "; ".join(outside)) if outside else Ran("done", results)

    @property
    def _gauge(self) -> Gauge:
        return cast(Gauge, self._own.device("head"))

    def _expected(self, command: Command) -> dict[str, Limits]:
        expected = {}
        for name, value in command.parameters.items():
            feature = name.removeprefix(EXPECT)
            if feature not in self._features:
                raise UnknownName(f"feature of {self._module.name}", feature, self._features)
            if not isinstance(value, Limits):
                raise Refused(f"{name} are limits, such as 18.20 mm ± 0.15 mm, not {value}")
            expected[feature] = value
        return expected
