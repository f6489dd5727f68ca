"""What things cost and who earns what.

Belongs here: rules of prices, fees and shares. Does not belong here: money that moves (``hub.money``).
"""
