"""De-identification: from a hospital's validated table to one without identifiers, dates or rare ages.

Belongs here: row-wise changes fixed by the codebook, the k-anonymity flag, the split, and the schemas they lead to.
Does not belong here: noise and differential privacy (``models``), attacks on the result (``metrics``), or who may
have it (``hub``).
"""
