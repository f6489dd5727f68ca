"""All programs by kind: what they share, and that results are plain JSON values."""

import json

import pytest

from federation.jobs.programs import EXACT, PARAMETERS, PROGRAMS
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, _, _ = hospitals("lung", "ncctg_lung")
QUESTIONS = {
    "count": ([], {}),
    "histogram": (["age", "sex"], {"bound": 1000}),
    "contingency": (["sex", "ecog"], {}),
    "linked_contingency": (["sex", "ecog"], {"holders": {"site-0": ["sex"], "site-1": ["ecog"]}}),
    "moments": (["age", "sex"], {"by": "sex"}),
    "correlation": (["age", "karnofsky"], {}),
    "quantiles": (["age"], {"shares": [0.5]}),
    "kaplan_meier": (["time", "event", "sex"], {"by": "sex", "interval": 30}),
    "log_rank": (["time", "event", "sex"], {"by": "sex", "interval": 90}),
    "intersection": ([], {}),
    "logistic": (["age", "sex", "time", "event"], {"horizon": 365}),
    "cox": (["age", "sex", "time", "event"], {"interval": 90}),
}


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
def test_results_are_plain_json_with_parties_and_what_was_left_out(kind: str):
    columns, parameters = QUESTIONS[kind]
    result = computed(PROGRAMS[kind], NCCTG, a_job(kind, columns, parameters=parameters))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["kind"], result["parties"], result["minimum_count"]) == (kind, 3, 5)
    assert all(set(note) == {"what", "why"} for note in result["suppressed"])


@pytest.mark.parametrize("kind", sorted(EXACT))
def test_programs_without_noise_refuse_a_privacy_budget(kind: str):
    with pytest.raises(ParameterError, match="rho must be for a job with noise"):
        computed(PROGRAMS[kind], NCCTG, a_job(kind, ["age"], rho=0.1))


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_parameters_that_a_program_does_not_know_are_refused(kind: str):
    with pytest.raises(ParameterError, match="got colour"):
        computed(PROGRAMS[kind], NCCTG, a_job(kind, ["age"], parameters={"colour": "red"}))
