"""The books: accounts, balanced transactions, invoices, payments, and the proof that nobody changed them.

Belongs here: money that is owed, held and paid, in whole minor units of a currency. Does not belong here: what things cost and
who earns what (``hub.market``).
"""
