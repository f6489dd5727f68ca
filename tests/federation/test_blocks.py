"""Arrays that are worked off in blocks or parts give the same at every length, also just below and above a block's."""

from collections.abc import Callable

import numpy as np
import pytest

from federation import field, shamir
from federation.field import P
from federation.prg import _AT_ONCE, SEED_BYTES, Prg
from federation.runtime import LONG, Runtime
from tests.federation.parties import together

BLOCK = field._BLOCK
sizes = pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 7])
Numbers = np.ndarray  # Python's own, of any size


def drawn(size: int, seed: int) -> np.ndarray:
    """Elements with the extremes at both ends."""
    values = np.random.default_rng(seed).integers(P, size=size, dtype=np.uint64)
    values[: size // 2 : 97] = P - 1
    values[-1:] = P - 1
    return values


OPERATIONS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., Numbers]]] = {
    "add": (field.add, lambda a, b: a + b),
    "subtract": (field.subtract, lambda a, b: a - b),
    "negate": (lambda a, b: field.negate(a), lambda a, b: -a),
    "multiply": (field.multiply, lambda a, b: a * b),
    "scale": (lambda a, b: field.scale(a, -(2**64)), lambda a, b: a * -(2**64)),
    "total": (lambda a, b: field.total([a, b, b, a, a]), lambda a, b: 3 * a + 2 * b),
    "combinations": (lambda a, b: field.combinations([a, b], [[3, P - 1]])[0], lambda a, b: 3 * a - b),
}


@sizes
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_the_field(name: str, size: int) -> None:
    ours, exact = OPERATIONS[name]
    a, b = drawn(size, 1), drawn(size, 2)
    result = ours(a, b)
    assert result.dtype == np.uint64
    assert (result.astype(object) == exact(a.astype(object), b.astype(object)) % P).all()


@sizes
def test_signed_numbers(size: int) -> None:
    values = np.random.default_rng(3).integers(-(P // 2), P // 2 + 1, size=size)
    values[:1], values[-1:] = -(P // 2), P // 2
    elements = field.from_signed(values)
    assert (elements.astype(object) == values.astype(object) % P).all()
    assert (field.to_signed(elements) == values).all()


@sizes
def test_operands_stay_as_they_were(size: int) -> None:
    a, b = drawn(size, 4), drawn(size, 5)
    before = a.copy(), b.copy()
    for ours, _ in OPERATIONS.values():
        ours(a, b)
        assert (a == before[0]).all()
        assert (b == before[1]).all()


def test_arrays_without_a_row_after_the_other() -> None:
    """Columns, reversed rows and repeated rows, as broadcasting and slices give them."""
    wide = drawn(2 * BLOCK + 6, 6).reshape(2, -1)
    for a in (wide.T, wide[:, ::-1], wide[:, ::3], np.broadcast_to(wide[0], wide.shape)):
        expected = a.astype(object)
        assert (field.multiply(a, a).astype(object) == expected * expected % P).all()
        assert (field.total([a, a]).astype(object) == 2 * expected % P).all()
        assert (field.combinations([a, a], [[2, 5]])[0].astype(object) == 7 * expected % P).all()


@pytest.mark.parametrize("size", [_AT_ONCE - 1, _AT_ONCE, _AT_ONCE + 1, 3 * _AT_ONCE + 5])
def test_a_stream_does_not_depend_on_how_it_is_drawn(size: int) -> None:
    seed = b"x" * SEED_BYTES
    at_once, one_by_one = Prg(seed), Prg(seed)
    parts = [one_by_one.draw(part) for part in (1, size // 2, size - 1 - size // 2)]
    assert (at_once.draw((size,)) == np.concatenate(parts)).all()


@pytest.mark.parametrize(("parties", "degree"), [(3, 1), (8, 3)])
def test_shares_of_long_secrets(parties: int, degree: int) -> None:
    secret, prg = drawn(BLOCK + 3, 7), Prg()
    pairs = [(party, prg.draw(secret.shape)) for party in range(degree)]
    told = range(degree, parties)
    dealt = [*pairs, *zip(told, shamir.shares_of(told, secret, pairs), strict=True)]
    assert (shamir.reconstructed(dealt[-degree - 1 :]) == secret).all()
    assert (shamir.reconstructed(dealt[: degree + 1]) == secret).all()


@pytest.mark.parametrize("parties", [3, 5, 8])
@pytest.mark.parametrize("size", [LONG - 1, LONG, LONG + 3])
def test_openings_about_the_length_from_which_they_go_in_parts(parties: int, size: int) -> None:
    async def work(rt: Runtime) -> np.ndarray:
        return await rt.open(await rt.input_sum(np.arange(size) * (rt.index - 1), (size,)))

    expected = np.arange(size) * sum(i - 1 for i in range(parties))
    for opened in together(work, parties):
        assert (opened == expected).all()


@pytest.mark.parametrize(("parties", "degree"), [(3, 1), (5, 2), (8, 3)])
def test_bytes_grow_with_cells_and_parties_alone(parties: int, degree: int) -> None:
    """What a party sends for a table: its shares to those that do not draw them, then its share of the sum to all."""

    def sent(cells: int) -> list[int]:
        async def work(rt: Runtime) -> int:
            await rt.input_sum(None, (1,))  # seeds are exchanged once
            before = rt.mesh.bytes_sent
            await rt.open(await rt.input_sum(np.ones(cells, np.int64), (cells,)), survive=True)
            return rt.mesh.bytes_sent - before

        return together(work, parties, degree)

    for cells in (10, 1000, LONG + 1):
        assert sent(cells) == [8 * cells * ((parties - 1 - degree) + (parties - 1))] * parties
