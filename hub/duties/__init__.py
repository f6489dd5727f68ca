"""Duties towards the public and the law: register, transparency, activity report, complaints, opt-out, incidents.

Belongs here: what must be published, counted, received and reminded of. Does not belong here: decisions on requests
(``access``).

References
----------
Regulation (EU) 2025/327, Articles 57 to 59, 61(4), 71, 81; Regulation (EU) 2016/679, Articles 33 and 34.
"""
