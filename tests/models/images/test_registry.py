"""What auto stands for is decided by public facts alone."""

import pytest

from models.images.registry import build, chosen
from records.errors import ParameterError
from use_cases.registry import discover

IMAGES = {cohort.name: cohort.image for use_case in discover().values() for cohort in use_case.images}


@pytest.mark.parametrize(("cohort", "method"), [("lidc_idri", "tilted"), ("isles_2022", "gaussian")])
def test_auto_follows_a_simulator_where_there_is_one(cohort: str, method: str) -> None:
    assert chosen("auto", IMAGES[cohort]) == method
    assert chosen("flat", IMAGES[cohort]) == "flat"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ParameterError, match="must be one of auto, gaussian, tilted"):
        build("gan", delta=1e-5)
