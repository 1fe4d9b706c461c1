"""The line: its modules, stations, devices and processes; and the file in which people write it."""
