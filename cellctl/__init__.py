"""cellctl: robot-cell control for modular production lines."""
