"""What a disease is: cohorts with their codebooks, sources, sites and release limits, one folder each.

Belongs here: public knowledge about cohorts. Does not belong here: methods; a fourth disease is one new folder.
"""
