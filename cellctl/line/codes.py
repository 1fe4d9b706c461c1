"""The codes of what can be wrong with a line file, beyond the form of its values."""

from __future__ import annotations

from cellctl.findings import CodeText

UNKNOWN_KIND = "CC-L001"
UNKNOWN_DRIVER = "CC-L002"
UNKNOWN_DEVICE = "CC-L003"
UNKNOWN_STATION = "CC-L004"
BAD_POINT = "CC-L005"
WRONG_CAPABILITY = "CC-L006"
UNKNOWN_ROLE = "CC-L007"
MISSING_ROLE = "CC-L008"
ADDRESS_TWICE = "CC-L009"
UNKNOWN_MATERIAL = "CC-L010"
BAD_FRAME = "CC-L011"
UNKNOWN_ZONE = "CC-L012"
UNKNOWN_MODULE = "CC-L013"
NAME_TAKEN = "CC-L014"
BAD_BUS = "CC-L015"
POINT_TWICE = "CC-L016"
CARRIERS_WITHOUT_ROOM = "CC-L017"
UNUSED_DEVICE = "CC-L018"
TAUGHT_IN_VAIN = "CC-L019"
BAD_ADDRESS = "CC-L020"
STATION_KEY = "CC-L021"
WHICH_DEVICE = "CC-L022"
UNWATCHED_SAFETY = "CC-L023"
NESTS_ON_A_BELT = "CC-L024"
SHARED_SPACE = "CC-L025"

CODES = {
    UNKNOWN_KIND: CodeText(
        "No kind of module has this name.",
        "The kind says what a module can do and which code runs it.",
        "Take the suggestion, or install the package that brings the kind.",
    ),
    UNKNOWN_DRIVER: CodeText(
        "No driver has this name.",
        "`use:` names the code that speaks to the device.",
        "Take the suggestion, or install the package that brings the driver.",
    ),
    UNKNOWN_DEVICE: CodeText(
        "No device has this name here.",
        "A name is looked for among the module's own devices, then among the line's; another module's device is "
        "named in full.",
        "Take the suggestion, or add the device. The drive of the module `belt` is `belt.drive`.",
    ),
    UNKNOWN_STATION: CodeText(
        "No station has this name.",
        "Stations are named in full, so that no two modules' stations are confused.",
        "Write module.station, as in belt.press.",
    ),
    BAD_POINT: CodeText(
        "Not an input or output that exists, or one where the other is needed.",
        "An eye reads an input, a stopper switches an output; a wrong number would watch or move something else.",
        "Write the device, a dot, `di` or `do`, and the number from 0: io1.di4.",
    ),
    WRONG_CAPABILITY: CodeText(
        "The device cannot do what it is meant for.",
        "Each role of a module needs a device of one capability, such as a motor drive.",
        "Use a driver of the right capability, or put the device in its proper role.",
    ),
    UNKNOWN_ROLE: CodeText(
        "The module's kind has no use for a device of this name.",
        "The kind finds its devices by their roles; one that it does not know would never be used.",
        "Take one of the roles that are listed. A device that several modules use belongs under the line's `devices:`.",
    ),
    MISSING_ROLE: CodeText(
        "The module lacks a device that its kind needs.",
        "Without it the module can do nothing.",
        "Add it under the module's `devices:`.",
    ),
    ADDRESS_TWICE: CodeText(
        "Two devices stand at one address.",
        "Two drivers that command one device undo each other's work.",
        "Give each device its own address or unit; a device that several modules use is written once, under the "
        "line's `devices:`.",
    ),
    UNKNOWN_MATERIAL: CodeText(
        "No material has this name.",
        "Recipes, feeders and the payload check must speak of the same thing.",
        "Take the suggestion, or add it under `materials:`.",
    ),
    BAD_FRAME: CodeText(
        "A frame that does not exist, or that stands in itself.",
        "A pose means something only in a frame whose place in the line is known.",
        "Take the suggestion, or add the frame under `frames:`.",
    ),
    UNKNOWN_ZONE: CodeText(
        "No zone has this name.",
        "A misspelt zone would keep nobody out.",
        "Take the suggestion, or add it to `zones:`.",
    ),
    UNKNOWN_MODULE: CodeText(
        "No such module, or not one that is meant here.",
        "Poses are given for arms, and guards for modules of this line.",
        "Take the suggestion.",
    ),
    NAME_TAKEN: CodeText(
        "Two things have one name.",
        "Modules, shared devices and processes are named in commands and journals: a name must mean one thing.",
        "Rename one of them.",
    ),
    BAD_BUS: CodeText(
        "A bus address that cannot be used, or that two processes would share.",
        "Each process binds two ports: the one that is named for commands, and the next one for events.",
        "Write tcp://HOST:PORT. Without `bus:` at a module its process takes the next two ports after the runner's.",
    ),
    POINT_TWICE: CodeText(
        "One output or input serves two stations.",
        "Lowering one stopper would lower the other; one eye cannot see two places.",
        "Check the wiring list and give each its own point.",
    ),
    CARRIERS_WITHOUT_ROOM: CodeText(
        "More carriers have their home at a station than it holds, or one at every stop of a belt.",
        "A carrier without a place cannot be accounted for; without a free stop none could go on to the next.",
        "Give the station a `capacity`, the carriers other homes, or leave a stop of the belt free.",
    ),
    UNUSED_DEVICE: CodeText(
        "No module uses this device.",
        "It is never opened; perhaps a name is misspelt where it was to be used.",
        "Use it, or remove it.",
    ),
    TAUGHT_IN_VAIN: CodeText(
        "A taught value for a line, station or arm that is not in the line file.",
        "The arm would go to the pose in the line file while its operator believes in the taught one.",
        "Rename the entry in the file of taught values, or remove it.",
    ),
    BAD_ADDRESS: CodeText(
        "Not the address of a device.",
        "The part before :// names the protocol, what follows the place.",
        "Write it as modbus-tcp://10.0.1.20:502 or tcp://10.0.1.31:10000.",
    ),
    STATION_KEY: CodeText(
        "A key that stations of this kind of module do not have, or one that they need.",
        "A stopper at a station that no conveyor serves would never move.",
        "Remove or add the key; the message lists those that the kind knows.",
    ),
    WHICH_DEVICE: CodeText(
        "It is left open which of the module's devices serves a station.",
        "With several devices in a module, the wrong one would run.",
        "Add `device:` to the station.",
    ),
    NESTS_ON_A_BELT: CodeText(
        "A carrier on a belt has more than one nest.",
        "Parts on one carrier may have to go different ways, and a machine at a stop cannot tell which nest is meant.",
        "Give it one nest; several parts on a carrier are for trays that arms fill and empty where they stand.",
    ),
    UNWATCHED_SAFETY: CodeText(
        "A safety input on a device that no module uses.",
        "No process opens that device, so nobody would see the guard open.",
        "Wire the input to an island that a module uses, or give the island to one under its `devices:`.",
    ),
    SHARED_SPACE: CodeText(
        "Two arms go to one station, or to stations close together, and share no zone.",
        "That a station is free again does not mean that the arm has left it; only a zone keeps the other one out. "
        "Closer than 150 mm is taken for too close: wrist and gripper of an arm are about half as wide.",
        "Add a zone under `zones:`, and `zone:` with its name to both stations, or `zones:` to both arms.",
    ),
}
