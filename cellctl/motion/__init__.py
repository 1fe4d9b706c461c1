"""Kinematics and timing of motion in plain numpy: where an arm can be, and how long it takes to get there.

Pure functions on arrays with leading batch dimensions; nothing here knows of devices or recipes.
"""
