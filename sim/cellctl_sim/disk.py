"""Record stores on simulated disks: rows are durable when their sync is over, and a kill loses those that are not.

Appends that arrive while a sync runs share the next one, as in the live store (group commit). Of what a sync had under
way when its process was killed, a torn disk keeps a piece; whoever opens the store again takes all of it or nothing.

    slow_disk    a sync takes so many seconds            full_disk   nothing can be written, or opened for writing
    failed_sync  the next sync fails, and nobody knows   torn_disk   this share of the bytes of a sync that was cut off
                 what it wrote                                       is there afterwards
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cellctl.errors import StoreError, StoreLocked
from cellctl_sim.entry import Entry
from cellctl_sim.futures import VirtualFuture
from cellctl_sim.life import Life
from cellctl_sim.loop import VirtualLoop
from cellctl_sim.spells import Spells
from cellctl_sim.tail import commit_bytes, recovered, torn
from cellctl_sim.trace import Trace

FULL = "the disk is full"
SYNC = 300e-6  # [s], SQLite in WAL mode with synchronous=FULL on a virtio disk (measured)


@dataclass(slots=True)
class Batch:
    """The rows of one append, and who waits for them."""

    rows: tuple[bytes, ...]
    done: VirtualFuture[None]


@dataclass(slots=True)
class Disk:
    """The medium of one record store. It outlives every process; `holder` is the life that has it open."""

    name: str
    loop: VirtualLoop
    trace: Trace
    sync: float = SYNC  # how long one sync takes [s]
    durable: list[bytes] = field(default_factory=list)
    archived: list[bytes] = field(default_factory=list)
    holder: Life | None = None
    broken: str = ""  # why nothing can be written any more
    spells: Spells = field(default_factory=Spells)
    failed: str = ""  # why the store that is open, or was last, cannot be written
    tail: bytes = b""  # of a commit that was not synced
    _waiting: list[Batch] = field(default_factory=list)
    _syncing: list[Batch] = field(default_factory=list)
    _timer: Entry | None = None

    @property
    def all_durable(self) -> list[bytes]:
        """Every row that was ever durable, archived ones included."""
        return self.archived + self.durable

    def lock(self, life: Life) -> None:
        """Open it for this life. Raises StoreLocked when a living process holds it, StoreError when it is full."""
        if self.holder is not None:
            raise StoreLocked(
                f"the journal {self.name} is held by {self.holder.node}; stop that process first"
            )
        self.failed = FULL if self._suffers("full_disk") else ""
        if self.failed:
            raise self.error()
        self.holder = life
        self._keep(recovered(self.tail))
        self.tail = b""

    def unlock(self) -> None:
        self.holder = None

    def crash(self) -> None:
        """The holder was killed: rows that are not synced are lost, or torn; the lock is free."""
        self._tear()
        for batch in self._syncing + self._waiting:
            self.trace.add(self.loop.now, self.name, "unsynced rows lost", b"\n".join(batch.rows))
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._syncing, self._waiting = None, [], []
        self.unlock()

    def fail(self, why: str) -> None:
        """From now on the disk takes nothing more; appends under way fail."""
        self.broken = why
        self._refuse(why)

    @property
    def may_work_again(self) -> bool:
        """Whether it failed its store, but not for good."""
        return bool(self.failed) and not self.broken

    def check(self) -> None:
        """Raises StoreError when it takes nothing."""
        if self.broken or self.failed:
            raise self.error()

    def error(self) -> StoreError:
        why = self.broken or self.failed
        return StoreError(f"the journal {self.name} cannot be written: {why}; the line must stop")

    def _refuse(self, why: str) -> None:
        self.failed = why
        if self._timer is not None:
            self._timer.cancel()
        batches, self._syncing, self._waiting, self._timer = self._syncing + self._waiting, [], [], None
        for batch in batches:
            if not batch.done.done():
                batch.done.set_exception(self.error())

    def _tear(self) -> None:
        """Leave of the sync under way what a torn disk keeps."""
        share = self.spells.value("torn_disk", self.loop.now)
        if share is not None and self._syncing:
            self.tail = torn(commit_bytes([row for batch in self._syncing for row in batch.rows]), share)

    def _suffers(self, kind: str) -> bool:
        return self.spells.value(kind, self.loop.now) is not None

    @property
    def busy(self) -> bool:
        """True while a sync runs."""
        return self._timer is not None

    def add(self, batch: Batch) -> None:
        self._waiting.append(batch)
        if self._timer is None:
            self._begin()

    def _begin(self) -> None:
        self._syncing, self._waiting = self._waiting, []
        slow = self.spells.value("slow_disk", self.loop.now)
        time = self.sync if slow is None else slow
        self._timer = self.loop.after(time, self._synced)

    def _synced(self) -> None:
        if not self.spells.are_none and self._fails():
            return
        for batch in self._syncing:
            self._keep(batch.rows)
            if not batch.done.done():
                batch.done.set_result(None)
        self._timer, self._syncing = None, []
        if self._waiting:
            self._begin()

    def _fails(self) -> bool:
        """Whether the sync that is over has failed; it is refused then."""
        if self._suffers("full_disk"):
            self._refuse(FULL)
            return True
        if self._suffers("failed_sync"):
            self.spells.end("failed_sync")
            self._tear()
            self._refuse("the sync failed")
            return True
        return False

    def _keep(self, rows: Sequence[bytes]) -> None:
        for row in rows:
            self.durable.append(row)
            self.trace.add(self.loop.now, self.name, "durable", row)


class DiskStore:
    """A record store as its process sees it; fulfils `cellctl.runtime.RecordStore`."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk, self._life = disk, life

    async def append(self, rows: Sequence[bytes]) -> None:
        """Returns when the rows are durable. A cancelled append may still become so. Raises StoreError."""
        done: VirtualFuture[None] = self._disk.loop.create_future()
        if self._life.ended:
            await done  # for ever
        self._disk.check()
        self._disk.add(Batch(tuple(map(bytes, rows)), done))
        await done

    def replay(self) -> Iterator[bytes]:
        """The durable rows, oldest first."""
        return iter(tuple(self._disk.durable))

    async def archive(self, before: int) -> None:
        """Rows before number `before` are not replayed any more. Raises StoreError."""
        if not self._life.ended:
            self._disk.check()
            count = before - 1 - len(self._disk.archived)
            self._disk.archived += self._disk.durable[:count]
            del self._disk.durable[:count]

    def archived(self, first: int) -> Iterator[bytes]:
        """The archived rows from number `first` on."""
        return iter(tuple(self._disk.archived[first - 1 :]))

    async def settle(self) -> None:
        """Wait for a sync that is under way, also when whoever appended does not wait for it any more."""
        if self._disk.busy and not self._life.ended:
            await self.append(())
