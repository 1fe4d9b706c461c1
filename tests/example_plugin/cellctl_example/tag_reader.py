"""A tag reader behind registers: input 0 bit 0 says that a tag is in the field, inputs 1 and 2 are its number."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cellctl.device import Act, Action, DriverDeclaration, Rack, Reaction, Recovery, Silence
from cellctl.errors import DeadlineExceeded, DeviceError
from cellctl.runtime import Registers, Table
from cellctl.written import Between, Duration, Written, usually
from cellctl_example.declarations import TAG_READER

POLL = 0.02  # [s]
NONE = ""  # no tag answered in time


class TagReaderOptions(Written):
    """A tag reader in the line file; `tags` names the tags that it may meet by their numbers."""

    address: str
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    tags: dict[str, Annotated[int, Field(ge=1, lt=2**32)]] = Field(default={})
    timeout: Annotated[Duration, Between("20 ms", "1 min")] = usually("500 ms")


DECLARATION = DriverDeclaration(
    name="tag_reader",
    doc="Reads the number of the tag in its field, over Modbus",
    capability=TAG_READER,
    options=TagReaderOptions,
    recovery={"read_tag": {"": Recovery.REPEATABLE}},
    silence=Silence(Reaction.CONTINUES, None, "a reader moves nothing"),
    code="cellctl_example.tag_reader:TagReader",
)


class TagReader:
    """One reading head."""

    def __init__(self, name: str, options: TagReaderOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._link: Registers | None = None

    async def open(self) -> None:
        """Connect and see that it answers."""
        self._link = await self._rack.link(self._options.address, Registers)
        await self._read()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def prepare(self, act: Act) -> None:
        """Nothing to prepare."""

    async def halt(self) -> None:
        """A reader moves nothing."""

    async def fault(self) -> str:
        """It reports none; a silent one raises."""
        await self._read()
        return ""

    def read_tag(self) -> Action[str]:
        """The name of the tag in the field, or its number as text; `NONE` when none answers in time."""

        async def perform(number: int) -> str:
            link = self._connected()
            try:
                async with self._rack.runtime.deadline(self._options.timeout):
                    _, high, low = await link.until(self._read, lambda found: bool(found[0] & 1), POLL)
            except DeadlineExceeded:
                return NONE
            tag = high << 16 | low
            return next((name for name, known in self._options.tags.items() if known == tag), str(tag))

        return Action(self.name, "read_tag", DECLARATION.recovery_of("read_tag"), perform)

    async def _read(self) -> tuple[int, ...]:
        return await self._connected().read(self._options.unit, Table.INPUT, 0, 3)

    def _connected(self) -> Registers:
        if self._link is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._link
