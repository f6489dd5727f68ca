"""The page and the words that explain an evaluation.

Belongs here: layout, wording and number formats. Does not belong here: measuring, judging or drawing.
"""
