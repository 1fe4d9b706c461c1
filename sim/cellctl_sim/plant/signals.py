"""The wires between digital inputs and outputs and what they sense and switch."""

from __future__ import annotations

from collections.abc import Callable

from cellctl.device import Point

Sensor = Callable[[], bool]
Actuator = Callable[[float, bool], None]


class Signals:
    """What is wired to each point of the line's digital I/O; one with nothing on it reads False and does nothing."""

    def __init__(self) -> None:
        self._sensors: dict[str, dict[int, Sensor]] = {}  # by device and number of the input
        self._actuators: dict[Point, list[Actuator]] = {}

    def wire_input(self, point: Point, sensor: Sensor) -> None:
        """Let `point` show what `sensor` feels; it may change only in what happens on the plant's agenda."""
        self.sensors(point.device)[point.number] = sensor

    def wire_output(self, point: Point, actuator: Actuator) -> None:
        """Let `point` switch `actuator(t, on)`; several may hang on one output."""
        self._actuators.setdefault(point, []).append(actuator)

    def sensors(self, device: str) -> dict[int, Sensor]:
        """What feels on each input of a device that something is wired to, now and later."""
        return self._sensors.setdefault(device, {})

    def switch(self, t: float, point: Point, on: bool) -> None:
        """An output takes this value at `t`."""
        for actuator in self._actuators.get(point, ()):
            actuator(t, on)
