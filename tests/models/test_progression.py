"""Every drawn history is a possible one, carries what was given, and ends as patients do."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.fidelity.competing_risks import cumulative_incidence
from metrics.fidelity.paths import Paths
from models.event_learning import lean_queries
from models.first_visit import draw_first
from models.progression import ProgressionSynthesizer
from models.simplex import to_shares
from records.accounting import epsilon_to_rho
from records.errors import ParameterError, TableError
from records.longitudinal import LongitudinalSchema
from records.longitudinal_validation import validate_records
from records.schema import Implication
from use_cases.longitudinal_cohort import longitudinal_cohort

EPSILONS = {"none": None, "5": 5.0, "0.1": 0.1}


@cache
def fitted(cohort: str, epsilon: str) -> ProgressionSynthesizer:
    entry, asked = longitudinal_cohort(cohort), EPSILONS[epsilon]
    budget = None if asked is None else epsilon_to_rho(asked, 1e-5)
    model = ProgressionSynthesizer(secure=False)
    return model.fit(entry.load(), entry.records, budget=budget, rng=np.random.default_rng(0))


def schema(cohort: str) -> LongitudinalSchema:
    return longitudinal_cohort(cohort).records


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["pbcseq", "csl"]), st.sampled_from(list(EPSILONS)), st.integers(1, 60), st.integers(0, 10**6))
def test_every_history_is_possible(cohort: str, epsilon: str, patients: int, seed: int) -> None:
    public = schema(cohort)
    drawn = fitted(cohort, epsilon).sample(patients, rng=np.random.default_rng(seed))
    assert drawn.patients.height == patients
    visits = drawn.visits.join(drawn.patients, on="patient_id", how="left")
    assert (visits["day"] <= visits["follow_up"]).all()
    rise = visits.select(pl.col("day").diff().over("patient_id"))["day"].drop_nulls()
    assert (rise >= 1).all()
    assert (visits.group_by("patient_id").agg(pl.col("day").min())["day"] == 0).all()
    assert visits["patient_id"].value_counts()["count"].max() <= public.most_visits  # type: ignore[operator]
    columns = {*public.patients.names, *public.visits.names}
    assert columns == {*drawn.patients.columns, *drawn.visits.columns}
    for table, known in ((drawn.patients, public.patients), (drawn.visits, public.visits)):
        assert dict(table.schema) == known.polars()
        for column in known.columns:
            if column.numeric:
                assert table[column.name].drop_nulls().is_between(column.minimum, column.maximum).all()
            assert column.missing or table[column.name].null_count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cohort", "epsilon", "apart"), [("csl", "none", 0.05), ("csl", "5", 0.08), ("pbcseq", "none", 0.05)]
)
def test_histories_end_as_patients_do(cohort: str, epsilon: str, apart: float) -> None:
    public, real = schema(cohort), longitudinal_cohort(cohort).load()
    made = fitted(cohort, epsilon).sample(2000, rng=np.random.default_rng(3))
    validate_records(made, public, source="synthetic records")
    grid = np.array([365.0, 1826.0, 2922.0])
    curves = [
        cumulative_incidence(p.end, p.event, len(public.terminal), grid)
        for p in (Paths.of(real, public), Paths.of(made, public))
    ]
    assert np.abs(curves[0] - curves[1]).max() < apart
    assert made.visits.height / 2000 == pytest.approx(real.visits.height / real.patients.height, rel=0.12)


@pytest.mark.slow
def test_given_is_carried_and_matters() -> None:
    model, rng = fitted("pbcseq", "none"), np.random.default_rng(0)
    deaths = []
    for bilirubin in (0.6, 12.3):
        known = pl.DataFrame({"treatment": ["placebo"], "age": [50], "bilirubin": [bilirubin]})
        made = model.sample(300, rng=rng, given=known)
        first = made.visits.filter(pl.col("day") == 0)
        assert (first["bilirubin"] == bilirubin).all()
        assert (made.patients["age"] == 50).all()
        assert (made.patients["treatment"] == "placebo").all()
        deaths.append(((made.patients["event"] == "death") & (made.patients["follow_up"] <= 1826)).mean())
    assert deaths[1] > deaths[0] + 0.3


@pytest.mark.slow
def test_each_row_of_given_is_a_patient_and_nulls_stay_missing() -> None:
    known = pl.DataFrame({"sex": ["m", "f", "m"], "cholesterol": [None, 250, 300]})
    made = fitted("pbcseq", "none").sample(rng=np.random.default_rng(1), given=known)
    assert made.patients["sex"].to_list() == ["m", "f", "m"]
    assert made.visits.filter(pl.col("day") == 0)["cholesterol"].to_list() == [None, 250, 300]


@pytest.mark.slow
def test_what_is_given_late_informs_what_comes_early() -> None:
    """Likelihood weighting against drawing many and keeping those that fit."""
    model, public, rng = fitted("csl", "none"), schema("csl"), np.random.default_rng(0)
    free = draw_first(model.logits_, public, 200_000, None, rng)
    known = pl.DataFrame({"prothrombin_index": [40]})
    level = free["prothrombin_index"] == 2
    bound = draw_first(model.logits_, public, 4000, pl.concat([known] * 4000), rng)
    for name in ("prothrombin_before", "age", "treatment"):
        assert bound[name].mean() == pytest.approx(free[name][level].mean(), abs=0.12)
    assert abs(bound["prothrombin_before"].mean() - free["prothrombin_before"].mean()) > 0.5


@pytest.mark.slow
def test_seeds_repeat_and_differ() -> None:
    model = fitted("csl", "5")
    one, same, other = (model.sample(20, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.visits.equals(same.visits)
    assert not one.visits.equals(other.visits)
    assert model.tables_ is not None
    again = ProgressionSynthesizer().load(model.tables_, model.privacy_, schema("csl"))
    assert again.sample(20, rng=np.random.default_rng(1)).visits.equals(one.visits)


@pytest.mark.slow
def test_the_spend_is_what_was_asked_for() -> None:
    spend = fitted("csl", "5").privacy_
    assert 4.99 < spend.epsilon <= 5.0 + 1e-9  # type: ignore[operator]
    assert len(spend.mechanisms) == len(lean_queries(schema("csl")))
    assert not fitted("csl", "none").privacy_.private
    assert fitted("csl", "none").total_ == 446
    assert fitted("csl", "5").total_ == pytest.approx(446, rel=0.1)


def test_bad_input_is_refused() -> None:
    entry, rng = longitudinal_cohort("csl"), np.random.default_rng(0)
    records, public, model = entry.load(), entry.records, ProgressionSynthesizer()
    with pytest.raises(ParameterError, match="budget must be positive"):
        model.fit(records, public, budget=0.0, rng=rng)
    with pytest.raises(ParameterError, match="50 patients"):
        model.fit(records.of("patient_id", records.patients["patient_id"][:9]), public, budget=None, rng=rng)
    rule = Implication(when={"sex": ("f",)}, then={"treatment": ("placebo",)}, reason="made up")
    bound = public.model_copy(update={"patients": public.patients.model_copy(update={"constraints": (rule,)})})
    for budget in (None, 0.1):
        with pytest.raises(ParameterError, match="no constraints"):
            model.fit(records, bound, budget=budget, rng=rng)
    with pytest.raises(ParameterError, match="columns of csl"):
        fitted("csl", "5").sample(3, rng=rng, given=pl.DataFrame({"height": [1]}))
    with pytest.raises(ParameterError, match="one row or 3"):
        fitted("csl", "5").sample(3, rng=rng, given=pl.DataFrame({"sex": ["f", "m"]}))
    with pytest.raises(TableError, match="sex"):
        fitted("csl", "5").sample(3, rng=rng, given=pl.DataFrame({"sex": ["other"]}))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=1, max_size=40))
def test_noisy_counts_become_shares(counts: list[float]) -> None:
    shares = to_shares(np.array(counts))
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize(("most_visits", "epsilon"), [(3, 5.0), (2, 0.01), (16, 0.01), (40, 1.0), (3, None)])
def test_any_cap_and_any_noise_give_possible_histories(most_visits: int, epsilon: float | None) -> None:
    entry, rng = longitudinal_cohort("csl"), np.random.default_rng(3)
    public = entry.records.model_copy(update={"most_visits": most_visits})
    budget = None if epsilon is None else epsilon_to_rho(epsilon, 1e-5)
    made = ProgressionSynthesizer(secure=False).fit(entry.load(), public, budget=budget, rng=rng).sample(100, rng=rng)
    validate_records(made, public, source="synthetic records")
    assert made.visits["patient_id"].value_counts()["count"].max() <= most_visits  # type: ignore[operator]
