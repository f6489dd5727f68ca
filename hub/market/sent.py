"""What people send to the market: texts of a bounded length, and which fields of a form are wrong.

Belongs here: what all forms of the market share. Does not belong here: what a form means.
"""

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def well_formed(what: str, *, rule: str = "be well formed", remedy: str = "mend these fields") -> Iterator[None]:
    """While something sent is read.

    Raises
    ------
    ParameterError
        A field is wrong; the message names the first ones, and why.
    """
    try:
        yield
    except ValidationError as error:
        first = error.errors()[:MOST_FIELDS]
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in first)
        sentence = f"{what} must {rule}, got {wrong}; {remedy}"  # translated with each ``what`` by itself
        raise ParameterError(sentence) from error
