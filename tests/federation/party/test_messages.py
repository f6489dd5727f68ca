import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from federation.party import messages
from federation.party.messages import MessageError, decoded, digest, encoded

pytestmark = pytest.mark.anyio


@given(
    st.sampled_from(["int64", "float64", "uint64", "bool"]).flatmap(
        lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
    )
)
def test_arrays_arrive_as_they_were(array: np.ndarray):
    again = decoded(encoded({"value": array}))["value"]
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


def test_equal_values_have_equal_digests():
    one = {"b": np.arange(4).reshape(2, 2), "a": 1.5}
    other = {"a": 1.5, "b": np.asfortranarray(np.arange(4).reshape(2, 2))}
    assert digest(one) == digest(other)
    assert digest(one) != digest({**one, "a": 1.25})


def test_numpy_scalars_and_tuples_are_plain_values():
    assert decoded(encoded({"n": np.int64(3), "x": np.float64(0.5), "t": (1, 2)})) == {"n": 3, "x": 0.5, "t": [1, 2]}


@pytest.mark.parametrize("value", [float("nan"), {"x": object()}, np.array(["text"]), np.array([None])])
def test_what_has_no_spelling_is_refused(value: Any):
    with pytest.raises(MessageError):
        encoded(value)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"\xff\n", b'{"x": NaN}', b'{"$array": "object", "shape": [1], "base64": ""}',
        b'{"$array": "int64", "shape": [3], "base64": "AAAA"}', b'{"$array": "int64"}', b"[" * 100_000,
        b'{"$array": "int64", "shape": [-1, -1], "base64": ""}', b'{"$array": [], "shape": [1], "base64": ""}',
    ],
)  # fmt: skip
def test_garbage_is_no_message(line: bytes):
    with pytest.raises(MessageError):
        decoded(line)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(line: bytes):
    """What is read can be written, and reads the same again."""
    try:
        value = decoded(line)
    except MessageError:
        return
    assert encoded(decoded(encoded(value))) == encoded(value)


async def read(content: bytes, limit: int = 20) -> list[Any]:
    reader, found = asyncio.StreamReader(limit=limit), []
    reader.feed_data(content)
    reader.feed_eof()
    while (message := await messages.read(reader)) is not None:
        found.append(message)
    return found


async def test_messages_are_lines():
    assert await read(b'{"type":"a"}\n{"type":"b","n":1}\n') == [{"type": "a"}, {"type": "b", "n": 1}]


async def test_a_torn_message_is_the_end():
    assert await read(b'{"type":"a"}\n{"type":') == [{"type": "a"}]


@pytest.mark.parametrize("content", [b"[]\n", b'{"kind":"a"}\n', b'{"type":1}\n', b"x" * 500 + b"\n"])
async def test_lines_without_a_type_and_long_lines_are_refused(content: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "LONGEST_LINE", 400)
    with pytest.raises(MessageError):
        await read(content)


async def test_a_line_longer_than_the_buffer_is_read():
    long = {"type": "a", "text": "x" * 5000}
    assert await read(encoded(long) + encoded(long)) == [long, long]
