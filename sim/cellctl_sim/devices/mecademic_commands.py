"""The commands of a Mecademic controller: what each needs, and what it does. One table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cellctl_sim.devices.mecademic_controller import Controller
from cellctl_sim.devices.mecademic_moves import (
    along_line,
    by_joints,
    by_line_in_tool,
    by_line_in_world,
    frame_of,
    moves,
    to_joints,
    to_pose,
)
from cellctl_sim.devices.mecademic_session import degrees, gripper_flags, millimetres, real_time
from cellctl_sim.devices.mecademic_text import BadCommand, Order

LAST_CHECKPOINT = 8191  # clients use 1 to 8000, mecademicpy those above for itself
REAL_TIME = {  # names that SetRealTimeMonitoring takes
    "targetjointpos": 2200,
    "targetcartpos": 2201,
    "targetjointvel": 2202,
    "targetcartvel": 2204,
    "jointpos": 2210,
    "cartpos": 2211,
    "jointvel": 2212,
    "jointtorq": 2213,
    "cartvel": 2214,
    "exttoolstatus": 2300,
    "gripperstate": 2320,
    "gripperforce": 2321,
    "gripperpos": 2322,
}
ALL = tuple(REAL_TIME.values())
WATCHDOG_FIRMWARE = (10, 0)  # in the manual for 11.3, not in that for 9.2.x; between them unverified


class Need(Enum):
    """What a command needs to be taken."""

    NOTHING = "nothing"
    ACTIVATED = "activated"
    HOMED = "homed"
    READY = "ready"  # activated, homed, no error, no safety stop


Run = Callable[[Controller, float, Order], None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table."""

    need: Need
    run: Run


# --- states -----------------------------------------------------------------------------------------------------


def _activate(device: Controller, t: float, order: Order) -> None:
    if device.stops:
        raise BadCommand(1013, "Activation failed: a safety stop is active.")
    if device.is_activated:
        device.say(t, 2001, "Motors already activated.")
    else:
        device.prepare(t, device.properties.activation_time, device.activated)


def _home(device: Controller, t: float, order: Order) -> None:
    if device.is_homed:
        device.say(t, 2003, "Homing already done.")
    elif device.error:
        raise BadCommand(1011, "The robot is in error.")
    else:
        device.prepare(t, device.properties.homing_time, device.homed)


def _deactivate(device: Controller, t: float, order: Order) -> None:
    device.deactivate(t)
    device.say(t, 2004, "Motors deactivated.")


def _reset_error(device: Controller, t: float, order: Order) -> None:
    if not device.error:
        device.say(t, 2006, "There was no error to reset.")
        return
    device.error = 0
    if device.collided:
        device.collided = False
        device.say(t, 3005, 0)
    device.say(t, 2005, "The error was reset.")


def _pause(device: Controller, t: float, order: Order) -> None:
    device.queue.pause(t)
    device.say(t, 2042, "Motion paused.")


def _resume(device: Controller, t: float, order: Order) -> None:
    device.queue.resume(t)
    device.say(t, 2043, "Motion resumed.")


def _clear(device: Controller, t: float, order: Order) -> None:
    device.queue.clear(t)
    device.say(t, 2044, "The motion was cleared.")


def _simulate(device: Controller, t: float, order: Order) -> None:
    if device.is_activated:
        raise BadCommand(1026, "The robot must be deactivated.")
    device.is_simulating = order.name == "activatesim"
    device.say(t, 2045 if device.is_simulating else 2046, "Simulation mode changed.")


def _brakes(device: Controller, t: float, order: Order) -> None:
    if device.is_activated:
        raise BadCommand(1026, "The robot must be deactivated.")
    device.say(t, 2010 if order.name == "brakeson" else 2008, "Brakes changed.")


# --- queued ---------------------------------------------------------------------------------------------------------


def _delay(device: Controller, t: float, order: Order) -> None:
    seconds = order.number(0.0, 3600.0)
    device.add(t, lambda t: device.queue.wait(t, seconds))


def _checkpoint(device: Controller, t: float, order: Order) -> None:
    number = int(order.number(1, LAST_CHECKPOINT))

    def reach(t: float) -> None:
        device.checkpoint = number
        device.say(t, 3030, number)

    device.add(t, reach, lambda t: device.say(t, 3040, number))


# --- settings, queued -------------------------------------------------------------------------------------------


def _limit(name: str, factor: float, upper: float) -> Run:
    """A setting of one limit; the argument times `factor` is what it means."""

    def run(device: Controller, t: float, order: Order) -> None:
        device.change_limits(t, **{name: order.number(0.001, upper) * factor})

    return run


def _set_frame(which: str) -> Run:
    def run(device: Controller, t: float, order: Order) -> None:
        frame = frame_of(order.numbers(6))
        device.add(t, lambda t: setattr(device, which, frame))

    return run


def _ignored(device: Controller, t: float, order: Order) -> None:
    """Taken, and of no consequence here."""


# --- gripper ----------------------------------------------------------------------------------------------------


def _demand_gripper(device: Controller) -> None:
    if device.gripper is None:
        raise BadCommand(1038, "No gripper connected.")


def _grip(device: Controller, t: float, order: Order) -> None:
    _demand_gripper(device)
    assert device.gripper is not None
    device.add(t, device.gripper.close if order.name == "gripperclose" else device.gripper.open)


def _move_gripper(device: Controller, t: float, order: Order) -> None:
    """The fingers go fully open or fully closed, whichever is the way to the opening asked for."""
    _demand_gripper(device)
    gripper = device.gripper
    assert gripper is not None
    wanted = order.number(0.0, 1000.0) / device.gripper_stroke_mm
    device.add(t, lambda t: gripper.close(t) if wanted < gripper.opening(t) else gripper.open(t))


def _gripper_speed(device: Controller, t: float, order: Order) -> None:
    fraction = order.number(5.0, 100.0) / 100.0
    if device.gripper is not None:
        gripper = device.gripper
        device.add(t, lambda t: gripper.set_speed(fraction))


def _gripper_status(device: Controller, t: float, order: Order) -> None:
    """GetStatusGripper, the older form: enabled, homed, holding, limit reached, error, overload."""
    if device.gripper is None:
        device.say(t, 2079, 0, 0, 0, 0, 0, 0)
        return
    holds, there, _, _ = gripper_flags(device, t)
    device.say(t, 2079, 1, device.is_homed, holds, there, 0, 0)


# --- questions --------------------------------------------------------------------------------------------------


def _says(code: int, answer: Callable[[Controller, float], tuple[object, ...]]) -> Command:
    return Command(Need.NOTHING, lambda device, t, order: device.say(t, code, *answer(device, t)))


def _real_time(code: int) -> Command:
    def run(device: Controller, t: float, order: Order) -> None:
        text = real_time(device, t, code)
        if text is None:
            raise BadCommand(1038, "No gripper connected.")
        if device.session is not None:
            device.session.say(t, text)

    return Command(Need.NOTHING, run)


# --- connection and monitoring ------------------------------------------------------------------------------------


def _monitor(device: Controller, t: float, order: Order) -> None:
    device.monitor(t, order.number(0, 1) == 1)


def _interval(device: Controller, t: float, order: Order) -> None:
    device.monitoring.interval = order.number(0.001, 1.0)


def _wanted(device: Controller, t: float, order: Order) -> None:
    chosen: list[int] = []
    for argument in order.arguments:
        if argument.lower() == "all":
            chosen += ALL
        elif argument.lower() in REAL_TIME:
            chosen.append(REAL_TIME[argument.lower()])
        elif argument.isdigit():
            chosen.append(int(argument))
        else:
            raise BadCommand(1003, "Argument error.")
    device.monitoring.wanted = tuple(dict.fromkeys(chosen))
    device.say(t, 2117, *device.monitoring.wanted)


def _watchdog(device: Controller, t: float, order: Order) -> None:
    if device.version < WATCHDOG_FIRMWARE:
        raise BadCommand(1001, "Unknown or empty command.")
    seconds = order.number(0.0, 3600.0)
    device.watch(t, seconds)
    device.say(t, 2177, seconds)


def _told(name: str, on: int, off: int) -> Run:
    def run(device: Controller, t: float, order: Order) -> None:
        wanted = order.number(0, 1) == 1
        setattr(device, name, wanted)
        device.say(t, on if wanted else off, "Changed.")

    return run


COMMANDS: dict[str, Command] = {
    "activaterobot": Command(Need.NOTHING, _activate),
    "deactivaterobot": Command(Need.NOTHING, _deactivate),
    "home": Command(Need.ACTIVATED, _home),
    "reseterror": Command(Need.NOTHING, _reset_error),
    "pausemotion": Command(Need.NOTHING, _pause),
    "resumemotion": Command(Need.READY, _resume),
    "clearmotion": Command(Need.NOTHING, _clear),
    "activatesim": Command(Need.NOTHING, _simulate),
    "deactivatesim": Command(Need.NOTHING, _simulate),
    "brakeson": Command(Need.NOTHING, _brakes),
    "brakesoff": Command(Need.NOTHING, _brakes),
    "movejoints": Command(Need.READY, moves(to_joints)),
    "movejointsrel": Command(Need.READY, moves(by_joints)),
    "movepose": Command(Need.READY, moves(to_pose)),
    "movelin": Command(Need.READY, moves(along_line)),
    "movelinreltrf": Command(Need.READY, moves(by_line_in_tool)),
    "movelinrelwrf": Command(Need.READY, moves(by_line_in_world)),
    "delay": Command(Need.READY, _delay),
    "setcheckpoint": Command(Need.READY, _checkpoint),
    "setjointvel": Command(Need.READY, _limit("joint_speed", 0.01, 100.0)),
    "setjointacc": Command(Need.READY, _limit("joint_acc", 0.01, 150.0)),
    "setcartlinvel": Command(Need.READY, _limit("linear", 0.001, 1000.0)),
    "setcartangvel": Command(Need.READY, _limit("angular", math.radians(1.0), 300.0)),
    "setcartacc": Command(Need.READY, _limit("cart_acc", 0.01, 600.0)),
    "settrf": Command(Need.READY, _set_frame("trf")),
    "setwrf": Command(Need.READY, _set_frame("wrf")),
    "setblending": Command(Need.READY, _ignored),
    "setconf": Command(Need.READY, _ignored),
    "setconfturn": Command(Need.READY, _ignored),
    "setautoconf": Command(Need.READY, _ignored),
    "setautoconfturn": Command(Need.READY, _ignored),
    "setpayload": Command(Need.READY, _ignored),
    "setveltimeout": Command(Need.READY, _ignored),
    "setjointvellimit": Command(Need.READY, _ignored),
    "settorquelimits": Command(Need.READY, _ignored),
    "settorquelimitscfg": Command(Need.READY, _ignored),
    "gripperopen": Command(Need.READY, _grip),
    "gripperclose": Command(Need.READY, _grip),
    "movegripper": Command(Need.READY, _move_gripper),
    "setgrippervel": Command(Need.READY, _gripper_speed),
    "setgripperforce": Command(Need.READY, _ignored),
    "setgripperrange": Command(Need.READY, _ignored),
    "getstatusrobot": _says(2007, lambda device, t: device.status()),
    "getstatusgripper": Command(Need.NOTHING, _gripper_status),
    "getjoints": _says(2026, lambda device, t: degrees(device.queue.joints(t))),
    "getpose": _says(2027, lambda device, t: millimetres(device.tool_frame(t))),
    "getconf": _says(2029, lambda device, t: ("*", "*", "*")),
    "getcheckpoint": _says(2157, lambda device, t: (device.checkpoint,)),
    "getrobotserial": _says(2083, lambda device, t: ("m500-simulated",)),
    "getfwversion": _says(2081, lambda device, t: (f"v{device.properties.firmware}",)),
    "getfwversionfull": _says(2082, lambda device, t: (f"{device.properties.firmware}.1",)),
    "getproducttype": _says(2084, lambda device, t: ("Meca500",)),
    "getrobotname": _says(2095, lambda device, t: (device.name,)),
    "getcmdpendingcount": _says(2080, lambda device, t: (len(device.queue),)),
    "getrtc": _says(2140, lambda device, t: (round(t),)),
    "getrealtimemonitoring": _says(2117, lambda device, t: device.monitoring.wanted),
    "getmonitoringinterval": _says(2116, lambda device, t: (device.monitoring.interval,)),
    "getrttargetjointpos": _real_time(2200),
    "getrttargetcartpos": _real_time(2201),
    "getrtjointpos": _real_time(2210),
    "getrtcartpos": _real_time(2211),
    "getrtjointvel": _real_time(2212),
    "getrtjointtorq": _real_time(2213),
    "getrtcartvel": _real_time(2214),
    "getrtexttoolstatus": _real_time(2300),
    "getrtgripperstate": _real_time(2320),
    "getrtgripperforce": _real_time(2321),
    "getrtgripperpos": _real_time(2322),
    "setctrlportmonitoring": Command(Need.NOTHING, _monitor),
    "setmonitoringinterval": Command(Need.NOTHING, _interval),
    "setrealtimemonitoring": Command(Need.NOTHING, _wanted),
    "connectionwatchdog": Command(Need.NOTHING, _watchdog),
    "seteob": Command(Need.NOTHING, _told("eob_told", 2054, 2055)),
    "seteom": Command(Need.NOTHING, _told("eom_told", 2052, 2053)),
    "setrtc": Command(Need.NOTHING, _ignored),
    "synccmdqueue": Command(
        Need.NOTHING, lambda device, t, order: device.say(t, 2097, *(int(n) for n in order.numbers(1)))
    ),
}
