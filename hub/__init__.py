"""What people and regulators see: for now the privacy budget ledger.

Belongs here: stores and rules shared by releases, permits and market. Does not belong here: science.
"""
