"""Simulated devices: each its real register map or command grammar, ramps, delays, watchdogs, faults and counters."""
