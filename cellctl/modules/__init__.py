"""The module process: the shell that leases, journals, answers and recovers, and one file for each kind of module."""
