"""The OMOP Common Data Model 5.4: its tables, mappings of codebook columns, cohorts out and in, and databases."""
