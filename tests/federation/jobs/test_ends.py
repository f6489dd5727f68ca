import pytest

from federation.errors import GarbledError, MismatchError, PartyLostError, StalledError
from federation.jobs.ends import End, JobEndedError, end_of, verdict
from records.errors import BudgetError, ParameterError

NAMES = ("north", "south", "west")
LOST_SOUTH, STALLED_SOUTH = End.by("lost", "south"), End.by("stalled", "south")
CANCELLED = End("cancelled", "the job was stopped")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (PartyLostError(1), "lost:south"), (StalledError(2), "stalled:west"), (GarbledError(0, "x"), "garbled:north"),
        (MismatchError("got others from party 0, 2; compare"), "mismatch"), (BudgetError("rho"), "budget"),
        (ParameterError("bins"), "refused"), (KeyError("p17"), "refused"), (JobEndedError(End("expired")), "expired"),
    ],
)  # fmt: skip
def test_errors_lead_to_named_ends(error: Exception, state: str):
    assert end_of(error, NAMES).state == state


def test_people_read_names_not_numbers():
    words = end_of(MismatchError("got others from party 0, 2; compare"), NAMES).reason
    assert words == "got others from north, west; compare"


def test_words_of_unforeseen_errors_stay_at_the_site():
    assert "p17" not in end_of(KeyError("p17"), NAMES).reason


def test_an_end_names_its_party():
    assert (LOST_SOUTH.kind, LOST_SOUTH.party, CANCELLED.party) == ("lost", "south", None)


@pytest.mark.parametrize(
    ("reports", "closed", "state"),
    [
        ({"north": LOST_SOUTH, "south": None, "west": LOST_SOUTH}, ["south"], "lost:south"),
        ({"north": STALLED_SOUTH, "south": None, "west": CANCELLED}, [], "stalled:south"),
        # West waited for north, which waited for south.
        ({"north": STALLED_SOUTH, "south": None, "west": End.by("stalled", "north")}, [], "stalled:south"),
        ({"north": STALLED_SOUTH, "south": CANCELLED, "west": STALLED_SOUTH}, [], "stalled:south"),
        ({"north": End.by("garbled", "south"), "south": CANCELLED, "west": LOST_SOUTH}, [], "garbled:south"),
        ({"north": CANCELLED, "south": End("budget", "spent"), "west": End.by("lost", "south")}, [], "budget"),
        ({"north": CANCELLED, "south": End("refused", "no"), "west": CANCELLED}, ["south"], "refused"),
        ({"north": CANCELLED, "south": CANCELLED, "west": CANCELLED}, [], "cancelled"),
        ({}, [], "cancelled"),
    ],
)
def test_one_end_is_settled_from_all_reports(reports: dict[str, End | None], closed: list[str], state: str):
    assert verdict(reports, closed).state == state


def test_all_refusals_are_told():
    end = verdict({"north": End("refused", "a"), "south": End("refused", "b"), "west": CANCELLED}, [])
    assert end.reason == "north: a; south: b"
