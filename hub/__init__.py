"""What people and regulators see: catalogue, requests and permits, temporary repository, audit, privacy budget.

Belongs here: the rules and the stores of the health data hub, its pages and its REST API. Does not belong here: science,
and rows of patients: nothing in this package reads raw or pseudonymised data.
"""
