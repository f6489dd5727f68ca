"""What people send to the market: texts of a bounded length, and which fields of a form are wrong.

Belongs here: what all forms of the market share. Does not belong here: what a form means.
"""

from pydantic import ValidationError

from records.errors import ParameterError

MOST_WORDS, MOST_FIELDS = 4000, 5


def words_sent(text: str) -> str:
    """A text without blanks around it.

    Raises
    ------
    ParameterError
        It is empty or too long.
    """
    plain = text.strip().replace("\0", "")
    if not 0 < len(plain) <= MOST_WORDS:
        raise ParameterError(f"the text must have 1 to {MOST_WORDS} characters, got none or more; write it again")
    return plain


def wrong_fields(error: ValidationError) -> str:
    """The first fields that are wrong, and why."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:MOST_FIELDS])
