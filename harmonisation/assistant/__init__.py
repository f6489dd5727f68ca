"""An assistant that proposes what unknown columns mean; a person confirms.

Belongs here: candidates, comparison by name, unit and distribution, and the draft to confirm. Does not belong here: reviewed
mappings (``harmonisation.omop.mapping``), or deciding anything by itself.
"""
