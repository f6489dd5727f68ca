"""The reader study: clinicians tell real images from synthetic ones, the visual Turing test.

Belongs here: drawing a study, its folder, the local page, answers and what they show. Does not belong here: the hub's
rooms (a study runs where the real images are, without the hub's store) and measures that need no reader (``metrics``).
"""

from hub.reader_study.study import Mode, Statement, Study, create_study, read_study

__all__ = ["Mode", "Statement", "Study", "create_study", "read_study"]
