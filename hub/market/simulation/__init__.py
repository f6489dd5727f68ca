"""A market in which some cheat: what each strategy earns under each rule.

Belongs here: strategies, rules of sharing, rounds, and the tables and picture of them. Does not belong here: the valuation itself
(``hub.valuation``), real money (``hub.money``), reading cohorts: the caller gives tables.
"""
