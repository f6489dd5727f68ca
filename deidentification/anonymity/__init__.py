"""Anonymity of a table that is itself released: generalisation and suppression to k, l and t, at the least loss.

Belongs here: hierarchies, the search over them, and residual risk. Does not belong here: what differential privacy is
run on. Generalising as the data demand lets one patient change many rows, so that no guarantee computed afterwards
would hold; synthesis reads tables coarsened by the codebook alone (``deidentification.generalisation``).
"""
