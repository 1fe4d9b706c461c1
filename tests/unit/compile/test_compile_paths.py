"""Every path is followed: what sticks on some path, stays on the line or is left behind is found, and nothing else."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

import cellctl.compile.following as following
import cellctl.compile.paths as paths
from cellctl.compile.following import follow
from cellctl.compile.found import Leg, Trouble
from cellctl.compile.paths import in_words
from cellctl.compile.situation import situation
from cellctl.flow.state import Component, FlowState
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable

Found = Callable[..., list[str]]

MEASURE = "on: {reject: {retry: 1, then: scrap}}"
DROP = "{step: drop, do: transfer, to: bin}"
LID = "into: belt.load}"
OUT = "{step: out, do: advance, to: belt.exit}"


def only(found: list[str], start: str, *said: str) -> None:
    """Exactly one thing is found; it begins so, and says all this."""
    assert len(found) == 1, found
    assert found[0].startswith(start), found
    assert all(text in found[0] for text in said), found


def test_a_recipe_with_a_way_out_of_everything_is_well(found_in: Found) -> None:
    assert found_in() == []


# --- a part that goes back ------------------------------------------------------------------------------------------


def test_a_retry_that_a_belt_would_have_to_run_back_for_is_told_at_the_step_that_it_leads_to(
    found_in: Found,
) -> None:
    found = found_in((MEASURE, "on: {reject: {retry: 1, from: to_press, then: scrap}}"))
    only(
        found,
        "error CC-C032 to_press: after 'measure' ended 'reject', 'to_press' cannot bring the part to belt.press",
    )


def test_a_belt_that_runs_in_a_circle_brings_it_back(found_in: Found) -> None:
    back = (MEASURE, "on: {reject: {retry: 1, from: to_press, then: scrap}}")
    assert found_in(back, line=(("speed: 150 mm/s", "speed: 150 mm/s\n    circuit: 900 mm"),)) == []


def test_an_insert_that_may_have_done_its_work_is_not_tried_again(found_in: Found) -> None:
    found = found_in((LID, "into: belt.load, on: {failed: {retry: 1}}}"))
    only(found, "error CC-C033 lid: after 'lid' ended 'failed' with its component in the part all the same")
    assert found_in((LID, "into: belt.load, on: {failed: scrap}}")) == []


def test_an_insert_that_closed_on_nothing_is_tried_again(found_in: Found) -> None:
    assert found_in((LID, "into: belt.load, on: {missed: {retry: 3}}}")) == []


def test_a_route_back_over_an_insert_that_was_done_is_a_warning(found_in: Found) -> None:
    cap = "{step: cap, do: insert, take: lid, into: belt.load, on: {missed: {retry: 1, from: lid}}}"
    only(found_in((LID, f"{LID}\n  - {cap}")), "warning CC-C033 lid: after 'cap' ended 'missed'")


# --- a step that is tried without end -------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["measure", "to_gauge", "{retry: 2, then: to_gauge}"])
def test_a_route_straight_back_that_nothing_counts_is_told_at_the_route(found_in: Found, route: str) -> None:
    times = " 3 times" if "retry" in route else ""
    only(found_in((MEASURE, f"on: {{reject: {route}}}")),
         f"warning CC-C034 {route}: after 'measure' ended 'reject'{times}, 'measure' is tried again without end")  # fmt: skip


@pytest.mark.parametrize("name", ["load", "lid"])
def test_a_pick_that_is_tried_without_end_is_told(found_in: Found, name: str) -> None:
    written = {"load": "take: body, to: belt.load", "lid": "take: lid, into: belt.load"}[name]
    only(found_in((written, f"{written}, on: {{missed: {name}}}")), f"warning CC-C034 {name}: ")


def test_a_scrap_step_that_is_tried_without_end_is_told(found_in: Found) -> None:
    only(found_in((DROP, DROP.replace("}", ", on: {missed: drop}}"))), "warning CC-C034 drop: ")


def test_a_rework_that_does_something_to_the_part_may_come_again(found_in: Found) -> None:
    circle = (("speed: 150 mm/s", "speed: 150 mm/s\n    circuit: 900 mm"),)
    assert found_in((MEASURE, "on: {reject: to_press}"), line=circle) == []
    assert (
        found_in(
            (
                "timeout: 6 s}",
                "timeout: 6 s}\n  - {step: again, do: run, program: close, on: {failed: press}}",
            )
        )
        == []
    )


# --- a part that waits for ever -------------------------------------------------------------------------------------


def test_a_rework_that_begins_where_the_part_is_not_waits_for_ever(found_in: Found) -> None:
    found = found_in((MEASURE, "on: {reject: press}"))
    only(found, "error CC-C018 press: after 'measure' ended 'reject', 'press' waits for ever",
         "the part is at belt.gauge, not at belt.press")  # fmt: skip


def test_a_rework_that_first_brings_the_part_there_is_well(found_in: Found) -> None:
    rework = "{step: rest, do: transfer, to: shelf}"
    assert found_in((MEASURE, "on: {reject: {retry: 1, from: measure, then: scrap}}")) == []
    assert found_in((DROP, f"{rework}\n  - {DROP}")) == []


def test_a_scrap_route_to_where_the_part_stands_is_none(found_in: Found) -> None:
    found = found_in((DROP, "{step: aside, do: advance, to: belt.gauge}\n  - " + DROP))
    only(found, "error CC-C032 belt.gauge: 'aside' cannot bring", "stands at belt.gauge already")


def test_a_scrap_route_to_where_a_step_has_left_the_part_is_none(found_in: Found) -> None:
    timeout = "program: close, timeout: 6 s}"
    found = found_in(
        (timeout, "program: close, on: {failed: {retry: 1, then: aside}}}"),
        (DROP, f"{DROP}\n  - {{step: aside, do: advance, to: belt.press, needs: []}}"),
    )
    only(found, "error CC-C032 belt.press: 'aside' cannot bring", "stands at belt.press already")


def test_a_transfer_from_where_nothing_lies_waits_for_ever(found_in: Found) -> None:
    found = found_in(
        ("take: body, to", "take: blank, to"),
        line=(
            ("      shelf: {", "      tray: {source: blank, approach: 20 mm, pose: {x: 120 mm, y: 90 mm, z: 30 mm}}\n      shelf: {"),
            ("  body: {mass: 9 g}", "  blank: {mass: 9 g}\n  body: {mass: 9 g}"),
        ),
    )  # fmt: skip
    only(found, "error CC-C018 load: at the beginning, 'load' waits for ever", "no blank lies ready")


def test_parts_that_are_made_together_may_not_wait_for_each_other(found_in: Found) -> None:
    """Two parts come into being at once; the second finds the shelf taken by the first, which waits for it."""
    making = (
        ("    at: belt.press\n    programs: {close: {number: 1, time: 2 s}}",
         "    stations: {plate: {approach: 20 mm, pose: {x: 200 mm, y: 0 mm, z: 30 mm}, grid: {columns: 2, rows: 1, column_pitch: 20 mm, row_pitch: 20 mm}}}\n"
         "    programs: {close: {number: 1, time: 2 s}}"),
    )  # fmt: skip
    recipe = "recipe: pair\nsteps:\n  - {step: make, do: make, program: close, parts: 2}\n"
    alone = "  - {step: out, do: transfer, to: bin}\n"
    both = "  - {step: rest, do: transfer, to: shelf}\n  - {step: out, do: transfer, to: bin, parts: 2}\n"
    assert found_in(whole=recipe + alone, line=making) == []
    only(found_in(whole=recipe + both, line=making), "error CC-C018 rest: after 'rest'", "arm.shelf is taken")


def test_each_of_several_targets_is_followed_not_only_the_first(compiled: tuple[Executable, Line]) -> None:
    """Loaded onto the shelf, as when the belt's first stop is taken, the part does not get its lid."""
    executable, line = compiled
    assert follow(executable, line).found == ()
    load, *others = executable.steps
    either = replace(executable, steps=(replace(load, to=("belt.load", "arm.shelf")), *others))
    (found,) = follow(either, line).found
    assert (found.trouble, found.step, found.place) == (Trouble.STUCK, "lid", "arm.shelf")
    assert found.path == (Leg("load", "done"),)


# --- what only a person can put right ---------------------------------------------------------------------------------


def test_a_route_that_goes_on_with_a_lost_part_waits_for_a_person_whom_nobody_asks(found_in: Found) -> None:
    found = found_in((DROP, "{step: drop, do: transfer, to: bin, on: {dropped: {retry: 1}}}"))
    only(found, "warning CC-C019 drop: ", "waits for a person, whom nobody asks")
    assert found_in((DROP, "{step: drop, do: transfer, to: bin, on: {dropped: ask}}")) == []


def test_a_component_that_is_left_in_the_gripper_hinders_the_next_part(found_in: Found) -> None:
    only(found_in((LID, "into: belt.load, on: {dropped: next}}")), "error CC-C021 load: after 'lid' ended 'dropped'",
         "the gripper of arm holds something")  # fmt: skip


def test_a_component_that_was_dropped_is_left_behind(
    found_in: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the arm's gripper cannot keep it, it lies somewhere."""
    fewer = following.mishaps
    monkeypatch.setattr(
        following, "mishaps", lambda line, job: [a for a in fewer(line, job) if a.moves[0].place == "?"]
    )
    found = found_in((LID, "into: belt.load, on: {dropped: next}}"))
    only(found, "warning CC-C020 out: after 'lid' ended 'dropped' and then 'out', a lid is left behind")


# --- a part that stays ------------------------------------------------------------------------------------------------


def test_a_part_stays_on_the_line_when_the_last_step_is_passed_over(found_in: Found) -> None:
    found = found_in((OUT, "{step: out, do: advance, to: belt.exit, on: {jam: next}}"))
    only(
        found,
        "warning CC-C014 out: after 'out' ended 'jam', the part ends as good and still stands at belt.gauge",
    )


def test_a_scrapped_part_stays_where_no_step_takes_it_away(found_in: Found) -> None:
    found = found_in((DROP, "{step: drop, do: transfer, to: shelf}"))
    only(found, "warning CC-C014 drop: ", "ends as scrap and still stands at arm.shelf")


# --- steps and times --------------------------------------------------------------------------------------------------


def test_a_scrap_step_that_no_route_names_is_never_done(found_in: Found) -> None:
    other = f"{DROP}\n  - {{step: keep, do: transfer, to: bin, needs: []}}"
    only(found_in((DROP, other)), "warning CC-C022 keep: no path comes to 'keep'")
    assert found_in((DROP, other), (MEASURE, "on: {reject: keep}")) == []


def test_a_timeout_shorter_than_the_programs_time_is_found(found_in: Found) -> None:
    only(
        found_in(("timeout: 6 s", "timeout: 1.5 s")),
        "error CC-C024 1.5 s: 'press' may take 1.5 s, but takes 2",
    )
    assert found_in(("timeout: 6 s", "timeout: 3 s")) == []


def test_who_cannot_follow_every_path_says_so(found_in: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    paths._followed.cache_clear()
    monkeypatch.setattr(following, "MOST", 10)
    only(found_in(), "warning CC-C023 steps: this recipe has too many paths")


def test_a_very_long_recipe_is_followed_as_far_as_there_is_time(found_in: Found) -> None:
    presses = "".join(
        f"  - {{step: press{n}, do: run, program: close, on: {{failed: ask}}}}\n" for n in range(600)
    )
    found = found_in(("  - {step: to_gauge", f"{presses}  - {{step: to_gauge"))
    only(found, "warning CC-C023 steps: ")


# --- words and work ---------------------------------------------------------------------------------------------------


def test_a_path_is_told_by_what_went_wrong_on_it() -> None:
    failed = Leg("press", "failed", times=2)
    assert in_words([]) == "at the beginning"
    assert in_words([Leg("load", "done")]) == "after 'load'"
    assert in_words([Leg("load", "done"), failed]) == "after 'press' ended 'failed' twice"
    path = [Leg("press", "failed"), Leg("measure", "reject", "scrap"), Leg("aside", "done")]
    assert in_words(path) == (
        "after 'press' ended 'failed' and 'measure' ended 'reject' (answered with `scrap`) and then 'aside'"
    )


def test_variants_that_differ_in_values_only_are_followed_once(
    found_in: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(executable: object, line: object) -> object:
        asked.append(executable)
        return following.follow(executable, line)  # type: ignore[arg-type]

    monkeypatch.setattr(paths, "follow", counted)
    lighter = "c: {steps: {lid: remove, to_press: {needs: load}}}"
    found_in(
        ("recipe: thing", f"recipe: thing\nparameters: {{high: {{default: 18 mm ± 0.1 mm}}}}\nvariants: {{a: {{}}, b: {{high: 19 mm ± 0.1 mm}}, {lighter}}}"),
        ("height: 18 mm ± 0.1 mm", "height: $high"),
    )  # fmt: skip
    assert len(asked) == 2


def test_what_lies_at_its_source_makes_no_other_situation(compiled: tuple[Executable, Line]) -> None:
    _, line = compiled
    lying, left = (
        FlowState(components={"c1": Component("c1", "lid", at)}) for at in ("lids.pick", "arm.gripper")
    )
    assert situation(lying, line) == situation(FlowState(), line)
    assert situation(left, line) != situation(FlowState(), line)
