"""A patient's own identifiers, handed in from the columns of the table, wherever they stand in the text.

Belongs here: finding given values in a text, also inflected, otherwise cased, or with other separators. Does not belong
here: finding what nobody handed in.
"""

import re
from collections.abc import Iterator, Sequence

from deidentification.text.spans import Kind, Span

_SHORTEST = 2
_ENDING = r"(?:['’]?s|[a-zäö]{1,4})?"


def known_spans(text: str, known: Sequence[str], code: str) -> Iterator[Span]:
    """Spans of the values and, for names, of each of their words of two letters or more."""
    for value in known:
        for pattern, kind in _patterns(value.strip(), code):
            yield from (Span(m.start(), m.end(), kind) for m in pattern.finditer(text))


def _patterns(value: str, code: str) -> Iterator[tuple[re.Pattern[str], Kind]]:
    symbols = re.findall(r"\w", value)
    if len(symbols) < _SHORTEST:
        return
    if any(c.isdigit() for c in symbols):
        spread = r"[\W_]{0,2}".join(re.escape(c) for c in symbols)
        yield re.compile(rf"(?<![^\W_]){spread}(?![^\W_])", re.IGNORECASE), Kind.MRN
        return
    for word in {value, *re.findall(r"[^\W\d_]+", value)}:
        if len(word) >= _SHORTEST:
            ending = _ENDING if code == "fi" and len(word) > 3 else r"(?:['’]?s)?"
            yield re.compile(rf"(?<!\w){re.escape(word)}{ending}(?!\w)", re.IGNORECASE), Kind.PERSON
