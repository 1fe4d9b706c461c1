"""The collector of cycles while simulations run."""

from __future__ import annotations

import gc

from cellctl_sim.memory import SELDOM, collected_seldom


def test_what_was_loaded_is_left_alone_as_long_as_the_block_lasts() -> None:
    usual = gc.get_threshold()
    with collected_seldom():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == SELDOM
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual
