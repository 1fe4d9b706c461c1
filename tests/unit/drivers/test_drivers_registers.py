"""Registers as data: values to words and back, merged reads, and the maps against their documents."""

from __future__ import annotations

import asyncio
import importlib
import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellctl.errors import LimitExceeded
from cellctl.runtime import Table
from cellctl_drivers.maps import altivar, handshake_machine, register_gauge, remote_io
from cellctl_drivers.registers import Register, Type, decode, encode, read_registers, spans, write_registers

MAPS = [altivar, handshake_machine, register_gauge, remote_io]


@pytest.mark.parametrize(
    ("type", "value", "words"),
    [
        (Type.U16, 0x1234, (0x1234,)),
        (Type.S16, -1, (0xFFFF,)),
        (Type.U32, 0x12345678, (0x1234, 0x5678)),
        (Type.F32, 230.5, (0x4366, 0x8000)),  # IEEE 754 single: 0x43668000
        (Type.BIT, 1, (1,)),
    ],
)
def test_values_are_words_with_the_high_one_first(type: Type, value: float, words: tuple[int, ...]) -> None:
    register = Register("X", Table.HOLDING, 0, type)
    assert encode(register, value) == words
    assert decode(register, words) == value


@given(raw=st.integers(-0x8000, 0x7FFF), scale=st.sampled_from([0.001, 0.1, 1.0, 10.0]))
def test_a_scaled_value_comes_back_as_it_was_written(raw: int, scale: float) -> None:
    register = Register("X", Table.HOLDING, 0, Type.S16, scale)
    assert encode(register, decode(register, encode(register, raw * scale))) == encode(register, raw * scale)


@pytest.mark.parametrize(
    ("type", "value"), [(Type.U16, -1), (Type.U16, 65536), (Type.S16, 32768), (Type.U32, 2**32)]
)
def test_a_value_that_does_not_fit_names_register_and_limits(type: Type, value: float) -> None:
    with pytest.raises(LimitExceeded, match=r"X \(holding 7\): value"):
        encode(Register("X", Table.HOLDING, 7, type), value)


def test_altivar_frequency_is_in_tenths_of_a_hertz_and_signed() -> None:
    assert encode(altivar.LFR, -12.5) == (0xFF83,)
    assert decode(altivar.RFR, (500,)) == 50.0


@given(
    st.sets(st.integers(0, 300), min_size=1, max_size=60),
    st.integers(0, 5),
    st.integers(2, 125),
)
def test_merged_requests_cover_all_registers_within_limits(addresses: set[int], gap: int, most: int) -> None:
    wanted = [Register(str(a), Table.INPUT, a) for a in addresses]
    found = spans(wanted, gap, most)
    assert sorted(r.address for span in found for r in span.registers) == sorted(addresses)
    for span in found:
        places = [r.address for r in span.registers]
        assert span.count <= most
        assert span.address == min(places)
        assert span.address + span.count == max(places) + 1
        assert all(b - a <= gap + 1 for a, b in pairwise(places))
    for one, other in pairwise(found):  # no two could have been one
        together = other.address + other.count - one.address
        assert other.address - (one.address + one.count) > gap or together > most


def test_a_long_value_is_never_split_between_requests() -> None:
    wanted = [Register(str(a), Table.INPUT, a, Type.F32) for a in range(0, 12, 2)]
    assert [(s.address, s.count) for s in spans(wanted, most=5)] == [(0, 4), (4, 4), (8, 4)]


def test_tables_are_never_merged() -> None:
    one, other = Register("a", Table.INPUT, 0), Register("b", Table.HOLDING, 1)
    assert len(spans([one, other], gap=10)) == 2


def test_bits_have_the_limit_of_bits() -> None:
    assert len(spans([remote_io.digital_input(n) for n in range(256)])) == 1


def test_the_machines_report_is_one_request() -> None:
    assert [(s.address, s.count) for s in spans(handshake_machine.REPORT)] == [(0, 25)]


def test_a_write_of_registers_that_are_not_adjacent_is_refused(registers_link: Any) -> None:
    with pytest.raises(ValueError, match="one request"):
        asyncio.run(write_registers(registers_link(), 1, {altivar.CMD: 1, altivar.ACC: 1}))


def test_reading_gives_each_register_its_own_words(registers_link: Any) -> None:
    link = registers_link()
    words = struct.unpack(">4H", struct.pack(">If", 70000, 1.5))
    link.cells = {(Table.INPUT, place): word for place, word in enumerate(words)}
    number, value = Register("N", Table.INPUT, 0, Type.U32), Register("V", Table.INPUT, 2, Type.F32)
    found = asyncio.run(read_registers(link, 1, [value, number]))
    assert (found.raw(number), found[value]) == (70000, 1.5)
    assert link.reads == [(Table.INPUT, 0, 4)]


@pytest.mark.parametrize("module", MAPS, ids=lambda m: m.__name__.rpartition(".")[2])
def test_every_register_has_its_source_and_no_two_overlap(module: Any) -> None:
    taken: dict[tuple[Table, int], str] = {}
    for register in module.REGISTERS:
        assert register.source
        assert register.doc
        for place in range(register.address, register.end):
            assert taken.setdefault((register.table, place), register.name) == register.name
    assert len({register.name for register in module.REGISTERS}) == len(module.REGISTERS)


@pytest.mark.parametrize(
    ("name", "index", "subindex"),
    # CANopen objects of the ATV320, as in its parameter list; logical address = 3000 + (index - 0x2000) * 100 + sub - 1
    [
        ("ETA", 0x2002, 2),
        ("RFR", 0x2002, 3),
        ("HMIS", 0x2002, 41),
        ("LFT", 0x2029, 22),
        ("CMD", 0x2037, 2),
        ("LFR", 0x2037, 3),
        ("ACC", 0x203C, 2),
        ("DEC", 0x203C, 3),
        ("TTO", 0x201E, 6),
    ],
)
def test_altivar_addresses_follow_the_makers_rule(name: str, index: int, subindex: int) -> None:
    register = next(r for r in altivar.REGISTERS if r.name == name)
    assert register.address == 3000 + (index - 0x2000) * 100 + subindex - 1


@pytest.mark.parametrize(
    "name",
    ["altivar", "remote_io", "bowl_feeder", "mecademic", "megp25", "register_gauge", "handshake_machine"],
)
def test_every_declaration_names_code_that_is_there(name: str) -> None:
    declaration = importlib.import_module(f"cellctl_drivers.{name}").DECLARATION
    module, _, code = declaration.code.partition(":")
    assert declaration.name == name
    assert callable(getattr(importlib.import_module(module), code))
    assert declaration.silence.how
    assert declaration.options.model_config["extra"] == "forbid"
    assert declaration.options.model_config["frozen"]
