"""When and where things run: settings, definitions, sensor, command line.

Belongs here: wiring. Does not belong here: science.
"""
