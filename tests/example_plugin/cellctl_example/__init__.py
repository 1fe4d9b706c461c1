"""An example of a plug-in: a tag reader, a diverter, and a robot that picks from a moving belt."""
