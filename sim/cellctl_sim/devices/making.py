"""Machines that make parts: where they lie when the program has ended, and how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cellctl_sim.devices.codes import Code
from cellctl_sim.plant.world import World

PARTS = "parts"  # the value that says how many parts to make


def making(
    name: str, world: World, nests: Sequence[str], material: str
) -> Callable[[float, Mapping[str, float]], Code]:
    """What the end of a program does: parts lie in the first nests, as many as it was told, or one in each."""

    def make(t: float, values: Mapping[str, float]) -> Code:
        filled = nests[: int(values.get(PARTS, len(nests)))]
        taken = [nest for nest in filled if world.spot(nest).look(t)[0] is not None]
        for nest in taken:
            world.note(t, f"{name}: made a part where one lies, in {nest}")
        for nest in filled if not taken else ():
            world.spot(nest).put(t, world.make(t, world.material(material), nest))
            world.count(f"{name}.made")
        return Code.MISPLACED if taken else Code.WELL

    return make
