"""What is released holds k, l and t by pycanon's count, and the risk of real tables is what the literature says."""

import polars as pl
import pycanon.anonymity as pycanon
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification.anonymity.anonymisation import anonymise
from deidentification.anonymity.models import Anonymity, Diversity
from records.errors import ParameterError
from tests.deidentification.anonymity.tables import table, trial

NAMES = ("age", "sex", "ward", "region")
COUNTED = ["diagnosis", "score"]


def as_text(frame: pl.DataFrame, *names: str):
    return frame.with_columns(pl.col(*names).cast(pl.String).fill_null("missing")).to_pandas()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from([0.0, 0.02, 0.2]))
def test_k_holds_by_pycanon(seed: int, k: int, suppression: float) -> None:
    frame, known = table(300, seed, NAMES)
    done, report = anonymise(frame, known, Anonymity(k, suppression=suppression))
    assert pycanon.k_anonymity(as_text(done, *NAMES), list(NAMES)) >= k
    assert report.suppressed == frame.height - done.height <= suppression * frame.height
    assert report.after.prosecutor_highest <= 1 / k


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_distinct_l_holds_by_pycanon(seed: int, l: int) -> None:  # noqa: E741
    frame, known = table(300, seed, NAMES)
    done, _ = anonymise(frame, known, Anonymity(3, l=l, suppression=0.1))
    assert pycanon.l_diversity(as_text(done, *NAMES, "diagnosis"), list(NAMES), COUNTED) >= l


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2.01, 3.01]))
def test_entropy_l_holds_by_pycanon(seed: int, l: float) -> None:  # noqa: E741
    """Pycanon cuts to a whole number, 3 to 2 where rounding makes it 2.9999; hence the hundredth."""
    frame, known = table(300, seed, NAMES)
    done, _ = anonymise(frame, known, Anonymity(3, l=l, suppression=0.1, diversity=Diversity.ENTROPY))
    assert pycanon.entropy_l_diversity(as_text(done, *NAMES, "diagnosis"), list(NAMES), COUNTED) >= int(l)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.15, 0.3]))
def test_t_holds_by_pycanon(seed: int, t: float) -> None:
    """Without suppression, since pycanon compares with the released table and we with all patients."""
    frame, known = table(300, seed, NAMES)
    done, _ = anonymise(frame, known, Anonymity(3, t=t, suppression=0))
    assert pycanon.t_closeness(as_text(done, *NAMES, "diagnosis"), list(NAMES), COUNTED) <= t + 1e-9


def test_the_trial_is_as_unique_as_published() -> None:
    """Age, sex, hospital and month of randomisation single out 94.3 % of 19,435 patients."""
    names = ["AGE", "SEX", "HOSPNUM", "RDATE"]
    alone = trial().select(names).group_by(names).len().filter(pl.col("len") == 1).height
    assert round(alone / trial().height, 3) == 0.943


def test_the_trial_reaches_k(ist_frame_and_schema) -> None:
    frame, known = ist_frame_and_schema
    done, report = anonymise(frame, known, Anonymity(5, suppression=0.05))
    names = ["age", "sex", "hospital", "month"]
    assert round(report.before.unique / report.before.rows, 3) == 0.943
    assert pycanon.k_anonymity(as_text(done, *names), names) >= 5
    assert report.loss < 1


def test_untouched_columns_stay_as_they_were() -> None:
    frame, known = table(200, 1, NAMES)
    kept = frame.with_row_index()
    done, _ = anonymise(kept, known, Anonymity(4))
    joined = done.join(kept, on="index", suffix="_was")
    assert joined.height == done.height
    for name in COUNTED:
        assert joined[name].equals(joined[f"{name}_was"])


def test_what_cannot_be_reached_is_told_with_the_best() -> None:
    frame, known = table(40, 1, NAMES)
    with pytest.raises(ParameterError, match="the best is 40"):
        anonymise(frame, known, Anonymity(41))
    with pytest.raises(ParameterError, match=r"where the best is 5 \(distinct\)"):
        anonymise(frame, known, Anonymity(2, l=6))
    plain, bare = table(40, 1, NAMES, sensitive=())
    with pytest.raises(ParameterError, match="sensitive column"):
        anonymise(plain, bare, Anonymity(2, t=0.2))


def test_a_table_without_quasi_identifiers_is_one_class() -> None:
    frame, known = table(40, 1, ())
    done, report = anonymise(frame, known, Anonymity(5))
    assert done.equals(frame)
    assert (report.after.smallest_class, report.suppressed, report.loss) == (40, 0, 0.0)


@pytest.mark.parametrize("wrong", [{"k": 1}, {"k": 5, "l": 1}, {"k": 5, "t": 1.5}, {"k": 5, "suppression": 1}])
def test_parameters_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match="must"):
        Anonymity(**wrong)
