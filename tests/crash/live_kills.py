"""Kills of real processes by hand: N kills of a line that is up on simulated devices, its links disturbed in between.

python tests/crash/live_kills.py 300        # prints each kill, and at the end what the checkers find
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

from cellctl_sim.checkers import check
from cellctl_sim.live_search import LiveLine, is_complete

VARIANTS = ("indoor", "outdoor", "tall")
MOST_OFTEN = 5  # times a minute that one process is killed: its supervisor gives up one that ends more often
PACE = 1.5  # [s] between two kills, on average
LINKS = ("io1", "io2", "belt.drive", "arm.controller", "press.plc", "gauge.head")
MANNERS = ("cut", "silent")


def disturb(line: LiveLine, kills: int, dice: random.Random, disturbances: bool) -> Counter[str]:
    """Kill, and cut links, at random instants while the line works; how often each process was killed."""
    recent: dict[str, deque[float]] = {
        name: deque(maxlen=MOST_OFTEN) for name in (*line.line.processes, "runner")
    }
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        status = line.look()
        if status and sum(order["quantity"] - order["good"] for order in status["orders"]) < 2:
            line.order(dice.choice(VARIANTS), 2)
        time.sleep(dice.expovariate(1.0 / PACE))
        if disturbances and dice.random() < 0.15:
            line.fault(dice.choice(LINKS), dice.choice(MANNERS), dice.uniform(0.1, 2.0))
        free = [
            n for n, times in recent.items() if len(times) < MOST_OFTEN or time.monotonic() - times[0] > 60
        ]
        name = dice.choice(free) if free else ""
        if name and line.kill(name):
            recent[name].append(time.monotonic())
            killed[name] += 1
    return killed


def main() -> int:
    """The exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the directory")
    parser.add_argument("--no-links", action="store_true", help="disturb no links")
    arguments = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="cellctl-kills-"))
    began = time.monotonic()
    with LiveLine(place) as line:
        line.order("indoor", 3)
        line.run_until(lambda status: status["state"] == "execute", within=60.0)
        killed = disturb(line, arguments.kills, random.Random(arguments.seed), not arguments.no_links)
        print(
            f"{killed.total()} kills {dict(killed)} in {time.monotonic() - began:.0f} s; the rest is finished"
        )
        complete = line.run_until(is_complete, within=300.0)
        findings = check(line.end())
    print(f"{'complete' if complete else 'INCOMPLETE'} after {time.monotonic() - began:.0f} s; {place}")
    print(*findings, sep="\n")
    return 1 if findings or not complete else 0


if __name__ == "__main__":
    sys.exit(main())
