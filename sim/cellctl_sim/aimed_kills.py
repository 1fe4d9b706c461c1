"""Kills that are aimed at what happens instead of at an instant: after an effect, or before a step of the loop.

{effect: 1203, after: 1 ms, for: 0.5 s}      whose effect it is, 1 ms after effect number 1203 of the world
{step: 4711, process: arm, for: 0.7 s}       the arm's process, just before step number 4711

Effects are those of the trace: a message has left or arrived, rows are durable, a device was written to.
`cellctl_sim.assassin` carries them out.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from cellctl_sim.plant.faults import Seconds


class EffectKill(BaseModel):
    """A kill `delay` [s] after effect number `effect`, of the process whose effect it is; back after `away` [s]."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    effect: int = Field(ge=0)
    delay: Seconds = Field(default=0.0, ge=0, alias="after")
    away: Seconds = Field(gt=0, alias="for")


class StepKill(BaseModel):
    """A kill of `process` just before step number `step` of the loop; back after `away` [s]."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    step: int = Field(ge=0)
    process: str
    away: Seconds = Field(gt=0, alias="for")


AimedKill = EffectKill | StepKill
