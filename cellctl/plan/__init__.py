"""What a line can do at best, and why no faster: cycle times, schedules, bottlenecks, and their pictures.

Pure functions on numbers and frozen values; nothing here commands anything or reads a clock.
"""
