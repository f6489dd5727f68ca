"""One line of JSON per message between researcher and party; arrays travel as base64.

Belongs here: the encoding and its limits. Does not belong here: what is said when (``service``, ``researcher``).
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from federation.errors import FederationError

LONGEST_LINE = 64 * 2**20
ARRAY = "$array"
DTYPES = ("int64", "float64", "uint64", "bool")
Message = dict[str, Any]


class MessageError(FederationError):
    """A line is no message."""


def encoded(value: Any) -> bytes:
    """One line; equal values give equal bytes."""
    try:
        text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise MessageError("a message must hold finite numbers, texts and arrays only, got another; mend it") from None
    return text.encode() + b"\n"


def decoded(line: bytes) -> Any:
    """The value of a line.

    Raises
    ------
    MessageError
    """
    try:
        return json.loads(line, object_hook=_array, parse_constant=_refused)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MessageError("a message must be one line of JSON, got another; check the program's version") from None


def digest(value: Any) -> str:
    """By which results are compared."""
    return hashlib.sha256(encoded(value)).hexdigest()


async def read(reader: asyncio.StreamReader) -> Message | None:
    """The next message; ``None`` when the connection ended."""
    try:
        line = await _line(reader)
    except (asyncio.IncompleteReadError, OSError):
        return None
    message = decoded(line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise MessageError("a message must be an object with a type, got another; check the program's version")
    return message


async def _line(reader: asyncio.StreamReader) -> bytes:
    whole = bytearray()
    while not whole.endswith(b"\n"):
        if len(whole) > LONGEST_LINE:
            raise MessageError(f"a message must be at most {LONGEST_LINE} bytes long, got more; ask for less")
        try:
            whole += await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            whole += await reader.readexactly(error.consumed)
    return bytes(whole)


async def write(writer: asyncio.StreamWriter, kind: str, **fields: Any) -> None:
    """Send a message."""
    line = encoded({"type": kind, **fields})
    if len(line) > LONGEST_LINE:
        raise MessageError(f"a message must be at most {LONGEST_LINE} bytes long, got {len(line)}; ask for less")
    writer.write(line)
    await writer.drain()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES:
            raise TypeError(value.dtype)
        data = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        return {
            ARRAY: value.dtype.name,
            "shape": list(value.shape),
            "base64": base64.b64encode(data.tobytes()).decode(),
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _array(found: dict[str, Any]) -> Any:
    if ARRAY not in found:
        return found
    if found[ARRAY] not in DTYPES:
        raise ValueError(found[ARRAY])
    data = base64.b64decode(found["base64"], validate=True)
    return (
        np.frombuffer(data, dtype=np.dtype(found[ARRAY]).newbyteorder("<")).reshape(found["shape"]).astype(found[ARRAY])
    )


def _refused(constant: str) -> None:
    raise ValueError(constant)
