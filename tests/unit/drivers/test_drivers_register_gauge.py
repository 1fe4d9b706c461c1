"""The reference gauge against a scripted one: every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from scripted_plc import put

from cellctl.errors import DeviceFault, UnknownName
from cellctl.runtime import Table
from cellctl_drivers.register_gauge import RegisterGauge, RegisterGaugeOptions

ADDRESS = "modbus-tcp://bench:502"


class Head:
    """Measures for 0.3 s; `values` [mm] by feature."""

    def __init__(self, link: Any) -> None:
        self.link, self.values, self.error, self.answers = link, {0: 18.21, 3: -0.004}, False, True
        put(link, Table.HOLDING, 0, "HH", 0, 0)
        put(link, Table.INPUT, 0, "HHfHH", 1, 65534, 99.0, 0, 4)
        self.measured = 0
        link.on_write = self.written

    def written(self, table: Table, address: int, values: Sequence[int]) -> None:
        feature, request = values
        self.link.cells[Table.INPUT, 0] = 2
        if self.answers:
            asyncio.get_running_loop().call_later(0.3, self.answer, feature, request)

    def answer(self, feature: int, request: int) -> None:
        self.measured += 1
        put(self.link, Table.INPUT, 0, "HHfH", 5 if self.error else 1, request, self.values[feature], feature)


@pytest.fixture
def head(registers_link: Any, rack: Any) -> Head:
    rack.links[ADDRESS] = registers_link()
    return Head(rack.links[ADDRESS])


@pytest.fixture
def gauge(rack: Any, head: Head) -> RegisterGauge:
    return RegisterGauge(
        "gauge", RegisterGaugeOptions(address=ADDRESS, features={"height": 0, "flatness": 3}), rack
    )


async def measured(gauge: RegisterGauge, *features: str) -> list[float]:
    await gauge.open()
    return [await gauge.measure(feature).perform(1) for feature in features]


def test_a_value_comes_in_metres_and_for_the_feature_asked(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    values = leap(measured(gauge, "height", "flatness"))
    assert values == [pytest.approx(0.01821), pytest.approx(-4e-6)]
    assert [written for _, _, written in head.link.writes] == [(0, 65535), (3, 1)]  # never 0


def test_measuring_again_with_the_same_number_measures_anew(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    leap(measured(gauge, "height", "height"))
    assert head.measured == 2


def test_an_error_of_the_head_is_a_fault(leap: Any, gauge: RegisterGauge, head: Head) -> None:
    head.error = True
    with pytest.raises(DeviceFault, match=r"could not measure height: STATUS \(input 0\)"):
        leap(measured(gauge, "height"))


def test_a_head_that_never_answers_is_a_fault_with_the_request(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    head.answers = False
    with pytest.raises(
        DeviceFault, match=r"gauge at .*no value of height \(request 65535, ANSWERED \(input 1\)\)"
    ):
        leap(measured(gauge, "height"))


def test_an_unknown_feature_is_refused_with_the_nearest(gauge: RegisterGauge) -> None:
    with pytest.raises(UnknownName, match="did you mean height"):
        gauge.measure("hight")
