"""The catalogue: data sets, their descriptions and labels, as people and as machines read them.

Belongs here: records, search, HealthDCAT-AP, checks before publication. Does not belong here: the data.
"""
