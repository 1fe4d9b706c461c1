"""The commands that need the simulator, found by entry points of the group `cellctl.commands`."""
