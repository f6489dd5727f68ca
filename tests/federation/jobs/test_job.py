from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.jobs.job import Job, canonical, issued, parsed, read_description
from records.errors import ParameterError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASKED: dict[str, Any] = {
    "kind": "counts", "participants": ["north", "south", "west"], "dataset": "stroke", "columns": ["sex"],
    "filters": [{"column": "age", "op": ">=", "value": 50}],
}  # fmt: skip


def job(**changed: Any) -> Job:
    return issued({**ASKED, **changed}, researcher="ada", now=NOW)


def test_a_job_survives_being_written_and_read_with_the_same_digest():
    one = job()
    again = parsed(one.model_dump(mode="json"))
    assert again == one
    assert again.sha256 == one.sha256


def test_each_job_has_an_id_of_its_own_and_a_term():
    one, other = job(), job()
    assert one.id != other.id
    assert one.expires_at - one.issued_at == timedelta(hours=1)


def test_threshold_and_collusion_are_the_largest_honest_majority_by_default():
    assert (job().degree, job().colluding) == (1, 1)
    five = job(participants=["a", "b", "c", "d", "e"])
    assert (five.degree, five.colluding) == (2, 2)
    assert job(collusion=0).colluding == 0


def test_any_change_changes_the_digest():
    fixed = {"id": job().id}
    digests = {
        job(**fixed, **changed).sha256
        for changed in (
            {}, {"columns": ["age"]}, {"participants": ["south", "north", "west"]}, {"minimum_count": 11}, {"rho": 0.1},
            {"filters": []}, {"parameters": {"bins": 3}},
        )
    }  # fmt: skip
    assert len(digests) == 7


def test_the_same_moment_in_another_zone_is_the_same_job():
    one = job(id=job().id)
    east = timezone(timedelta(hours=2))
    moved = one.model_dump(mode="json") | {"issued_at": one.issued_at.astimezone(east).isoformat()}
    assert parsed(moved).sha256 == one.sha256


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"participants": ["north", "south"]}, "participants"),
        ({"participants": ["north", "north", "west"]}, "participants must differ"),
        ({"threshold": 2}, "threshold must be below a half"),
        ({"collusion": 3}, "collusion must be below"),
        ({"epsilon": 1.0}, "epsilon and delta"),
        ({"minimum_count": "10"}, "minimum_count"),
        ({"rows": True}, "rows"),
        ({"dataset": "../secret"}, "dataset"),
        ({"columns": ["sex", "sex"]}, "columns must differ"),
        ({"filters": [{"column": "sex", "op": "in", "value": "m"}]}, "list for op in"),
        ({"filters": [{"column": "sex", "op": "like", "value": "m"}]}, "filters.0.op"),
        ({"rho": float("inf")}, "finite"),
        ({"id": "1"}, "id"),
        ({"issued_at": "2026-03-02T09:00:00"}, "issued_at"),
        ({"expires_at": "2026-03-01T09:00:00Z"}, "expires_at must be after"),
    ],
)
def test_what_is_wrong_is_told_by_field(changed: dict[str, Any], words: str):
    with pytest.raises(ParameterError, match=words):
        job(**changed)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ParameterError, match=r"kind.*dataset"):
        issued({**ASKED, "kind": "", "dataset": ""}, researcher="ada")


def test_a_description_is_read_from_yaml(tmp_path: Path):
    path = tmp_path / "job.yaml"
    path.write_text("kind: counts\nparticipants: [north, south, west]\ndataset: stroke\ncolumns: [sex]\n")
    assert issued(read_description(path), researcher="ada").columns == ("sex",)
    path.write_text("- counts")
    with pytest.raises(ParameterError, match="fields of a job"):
        read_description(path)
    path.write_text("a: [")
    with pytest.raises(ParameterError, match="readable YAML"):
        read_description(path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), plain))
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(value: dict[str, Any]):
    assert canonical(dict(reversed(value.items()))) == canonical(value)
