"""The simulated world of cellctl: virtual time, the plant and its devices, faults. Never imported by the framework."""
