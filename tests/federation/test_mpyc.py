"""MPyC as an independent reference: shares of one scheme open in the other, and results are the same."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import field, shamir
from federation.comparison import absolute, argmax, less
from federation.prg import Prg
from federation.runtime import Runtime
from tests.federation.parties import together

elements = st.lists(
    st.one_of(st.sampled_from([0, 1, field.P - 1]), st.integers(0, field.P - 1)), min_size=1, max_size=6
)
committees = st.sampled_from([(3, 1), (4, 1), (5, 2), (8, 3)])
REFERENCE = Path(__file__).with_name("mpyc_reference.py")
A = [0, 5, -5, 2**29, -(2**29), 1, 7, -123_456_789]
B = [0, 4, 5, -(2**29), 2**29, 1, 8, 987_654_321]


@pytest.fixture(scope="module")
def mpyc() -> Any:
    """MPyC's sharing over our field; when it is imported, it reads the command line and changes this process."""
    pytest.importorskip("mpyc", reason="an optional reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tests", "--no-log"])
        patch.setenv("MPYC_NOUVLOOP", "1")
        patch.setenv("MPYC_MAXWORKERS", "1")
        from mpyc import finfields, thresha
    return SimpleNamespace(field=finfields.GF(field.P), split=thresha.random_split, recombine=thresha.recombine)


@settings(max_examples=30)
@given(elements, committees, st.randoms())
def test_our_shares_open_there(mpyc: Any, secret: list[int], committee: tuple[int, int], order: Any) -> None:
    parties, degree = committee
    values, prg = np.array(secret, np.uint64), Prg()
    drawn = [(party, prg.draw(values.shape)) for party in range(degree)]
    told = range(degree, parties)
    dealt = [*drawn, *zip(told, shamir.shares_of(told, values, drawn), strict=True)]
    chosen = order.sample(dealt, degree + 1)
    assert mpyc_opened(mpyc, chosen) == secret


def mpyc_opened(mpyc: Any, shares: Any) -> list[int]:
    points = [(shamir.point(party), [mpyc.field(int(x)) for x in share]) for party, share in shares]
    return [int(x) % field.P for x in mpyc.recombine(mpyc.field, points)]


@settings(max_examples=30)
@given(elements, committees, st.randoms())
def test_their_shares_open_here(mpyc: Any, secret: list[int], committee: tuple[int, int], order: Any) -> None:
    parties, degree = committee
    dealt = mpyc.split(mpyc.field, [mpyc.field(x) for x in secret], degree, parties)
    shares = [(party, np.array([int(x) for x in share], np.uint64)) for party, share in enumerate(dealt)]
    assert shamir.reconstructed(order.sample(shares, degree + 1)).tolist() == secret


@settings(max_examples=15)
@given(elements, st.integers(-(2**70), 2**70))
def test_sums_of_both_kinds_of_shares(mpyc: Any, secret: list[int], factor: int) -> None:
    """Shares of theirs, scaled and added to ours: the same polynomials at the same points."""
    theirs = mpyc.split(mpyc.field, [mpyc.field(x) for x in secret], 1, 3)
    values, drawn = np.array(secret, np.uint64), [(0, Prg().draw(len(secret)))]
    ours = [drawn[0], *zip((1, 2), shamir.shares_of((1, 2), values, drawn), strict=True)]
    mixed = [
        (party, field.add(share, field.scale(np.array([int(x) for x in other], np.uint64), factor)))
        for (party, share), other in zip(ours, theirs, strict=True)
    ]
    assert mpyc_opened(mpyc, mixed[1:]) == [x * (1 + factor) % field.P for x in secret]


@pytest.mark.slow
@pytest.mark.parametrize("parties", [3, 5])
def test_results_are_the_same(mpyc: Any, parties: int) -> None:
    """Signs, products and the position of the largest, against a run of MPyC with one party."""
    command = [sys.executable, str(REFERENCE), "--no-log"]
    given = json.dumps({"a": A, "b": B})
    expected = json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)

    async def work(rt: Runtime) -> dict[str, list[int]]:
        a, b = [await rt.input(0, np.array(values), (len(values),)) for values in (A, B)]
        opened = {
            "less": await rt.open(await less(rt, a, b)),
            "absolute": await rt.open(await absolute(rt, a)),
            "product": await rt.open(await rt.multiply(a, b)),
            "inner": (await rt.open(await rt.inner(a[None], b[:, None])))[0],
            "largest": np.array([await argmax(rt, a)]),
        }
        return {name: values.tolist() for name, values in opened.items()}

    assert together(work, parties) == [expected] * parties
