"""Statistics: answers to health data requests as tables that tell of nobody.

Belongs here: prepared tables, questions and their privacy budgets. Does not belong here: data: tables are made on the data
side, with noise or suppression, and deposited here.

References
----------
Regulation (EU) 2025/327, Article 69 (health data request: an answer in an anonymised statistical format only).
"""
