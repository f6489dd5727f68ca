"""Ordinary words of a language with all their forms: a sorted list in front coding, exact, small and quick to open.

Belongs here: the format, and whether a word is in it. Does not belong here: names, drugs or rules (``words``), nor where the
words come from (``lexicon/PROVENANCE.md``).

A Bloom filter of 2 MB would call one unlisted name in ten a Finnish word; this list of 1 MB errs on none.

References
----------
Witten, Moffat & Bell (1999). Managing Gigabytes, section 4.1: front coding.
"""

import lzma
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

_BLOCK = 64
_FIRST, _LAST = 0x0B, 0x1F  # bytes that occur in no word, hold the length of the shared prefix and part the words
_NEXT = re.compile(rb"([\x0b-\x1f])([^\x0b-\x1f]*)")
_LETTERS = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def known_word(word: str, code: str) -> bool:
    """Whether a word, in lower case, is listed for the language ``code``."""
    return word.replace("’", "'").encode() in _block(word.replace("’", "'").encode(), blocks(code))


def packed(words: Iterable[str]) -> bytes:
    """The file of these words; of each spelling only letters, hyphens and apostrophes, in lower case, are kept."""
    return lzma.compress(b"\n".join(blocks_of(words)), preset=9 | lzma.PRESET_EXTREME)


def blocks_of(words: Iterable[str]) -> list[bytes]:
    """The words in blocks, in order; each block begins with a whole word."""
    kept = sorted({word.encode() for word in words if word.islower() and _LETTERS.fullmatch(word)})
    return [b"".join(_coded(kept[at : at + _BLOCK])) for at in range(0, len(kept), _BLOCK)]


def words_of(block: bytes) -> Iterator[bytes]:
    """Words of one block."""
    word = block[: match.start()] if (match := _NEXT.search(block)) else block
    yield word
    for match in _NEXT.finditer(block):
        word = word[: match[1][0] - _FIRST] + match[2]
        yield word


def _coded(words: list[bytes]) -> Iterator[bytes]:
    yield words[0]
    for before, word in pairwise(words):
        most = min(len(before), len(word), _LAST - _FIRST)
        shared = next((at for at in range(most) if before[at] != word[at]), most)
        yield bytes([_FIRST + shared]) + word[shared:]


def _block(word: bytes, blocks: list[bytes]) -> frozenset[bytes]:
    """The only block that may hold the word: the last that begins with it or before it."""
    at = bisect_right(blocks, word + b" ")  # a space is above every length and below every letter
    return frozenset(words_of(blocks[at - 1])) if at else frozenset()


@cache
def blocks(code: str) -> list[bytes]:
    """The dictionary of a language: its words in order, in coded blocks."""
    packed_words = files("deidentification.text").joinpath(f"lexicon/{code}.words.xz").read_bytes()
    return lzma.decompress(packed_words).split(b"\n")
