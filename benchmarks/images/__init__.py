"""Image synthesizers on real chest radiographs: methods x epsilon x seeds, from one command.

Belongs here: what is run, its table, its page and its pictures. Does not belong here: scoring (``metrics.images``).
"""
