"""The table of units against another one: pint's, which has its own definitions and its own way of converting."""

from __future__ import annotations

from typing import Any

import pytest

from cellctl.units import UNITS, Dimension, parse_quantity, show

pint: Any = pytest.importorskip("pint")

# Where pint means something else by the same name, or has no such name: `pcs` is picoseconds to it, `rpm` fine.
CALLED = {"pcs": "dimensionless", "%": "percent", "Nm": "newton * meter", "degC": "degree_Celsius"}
MEASURES = {
    Dimension.LENGTH: "[length]",
    Dimension.DURATION: "[time]",
    Dimension.SPEED: "[speed]",
    Dimension.ACCELERATION: "[acceleration]",
    Dimension.JERK: "[length] / [time] ** 3",
    Dimension.ANGLE: "[]",
    Dimension.ANGULAR_RATE: "1 / [time]",
    Dimension.ANGULAR_ACCELERATION: "1 / [time] ** 2",
    Dimension.FORCE: "[force]",
    Dimension.TORQUE: "[torque]",
    Dimension.PRESSURE: "[pressure]",
    Dimension.MASS: "[mass]",
    Dimension.TEMPERATURE: "[temperature]",
    Dimension.VOLTAGE: "[electric_potential]",
    Dimension.CURRENT: "[current]",
    Dimension.RATIO: "[]",
    Dimension.COUNT: "[]",
    Dimension.FREQUENCY: "[frequency]",
    Dimension.STIFFNESS: "[force] / [length]",
}


@pytest.fixture(scope="module")
def registry() -> Any:
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@pytest.mark.parametrize("name", UNITS)
def test_a_value_is_what_pint_makes_of_it(registry: Any, name: str) -> None:
    for number in (-40.25, 0.3, 7.0, 1234.5):
        theirs = registry.Quantity(number, CALLED.get(name, name)).to_base_units()
        assert parse_quantity(f"{number} {name}").value == pytest.approx(
            float(theirs.magnitude), rel=1e-14, abs=1e-14
        )


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_measures_what_it_measures_for_pint(registry: Any, name: str) -> None:
    unit = registry.Unit(CALLED.get(name, name))
    assert registry.get_dimensionality(unit) == registry.get_dimensionality(MEASURES[UNITS[name].dimension])


@pytest.mark.parametrize("name", UNITS)
def test_what_is_printed_means_the_same_to_pint(registry: Any, name: str) -> None:
    quantity = parse_quantity(f"12.75 {name}")
    number, unit = show(quantity).split(" ")
    theirs = registry.Quantity(float(number), CALLED.get(unit, unit)).to_base_units()
    assert float(theirs.magnitude) == pytest.approx(quantity.value, rel=1e-14)
