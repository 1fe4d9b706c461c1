"""Nothing lost, nothing twice, as questions to the evidence of a run; gathered in `cellctl_sim.checkers`."""
