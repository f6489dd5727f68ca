"""Finding identifiers in a table: by the check digits of national numbers, by form, by name, and by the patients' own.

Belongs here: what an identifier looks like, and which columns hold some. Does not belong here: identifiers inside
clinical prose (``deidentification.text``) or what is done about them beyond refusing a column.
"""
