"""What the answers show: how well readers tell real from synthetic, with intervals and a test against guessing.

Belongs here: pure statistics. Does not belong here: the page. Results never hold a picture, a patient or a code.

Positive is *synthetic*: sensitivity is the share of synthetic images that were called so, specificity that of real ones.
Pairs have one figure only, the share of pairs in which the real image was found (two-alternative forced choice).

References
----------
Wilson (1927), JASA 22:209 (interval); exact binomial test (Clopper and Pearson 1934, Biometrika 26:404). Hanley and McNeil
(1982), Radiology 143:29: area under the curve from ratings. Gallas et al. (2012), Acad. Radiol. 19:463: readers who
judge the same images are not independent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import binomtest, mannwhitneyu

from hub.reader_study.answers import Answer
from hub.reader_study.study import Mode, Study

POOLED = "all readers"
COLUMNS: list[str] = ["reader", "question", "label", "truth", "choice", "correct", "confidence", "answered_at"]
CAVEAT = (
    "Readers judge the same images, so their answers are not independent: the pooled interval is too narrow and its test "
    "too sure."
)


@dataclass(frozen=True)
class Share:
    """Hits of trials, with the 95 % Wilson interval and the two-sided exact test against one half."""

    hits: int
    of: int
    share: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class ReaderResult:
    """Figures of one reader, or of all; None where there is nothing to count.

    Parameters
    ----------
    first : Share or None
        How often the first choice (left, or real) was taken: a habit, if far from one half.
    auc : float or None
        Area under the curve by choice and confidence, of single images.
    """

    reader: str
    answered: int
    accuracy: Share | None
    sensitivity: Share | None
    specificity: Share | None
    first: Share | None
    auc: float | None


@dataclass(frozen=True)
class StudyResult:
    """All figures of a study."""

    study: str
    title: str
    mode: str
    questions: int
    phantom: bool
    readers: tuple[ReaderResult, ...]
    pooled: ReaderResult
    caveat: str = CAVEAT

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return asdict(self)


def share(hits: int, of: int) -> Share | None:
    """A share with its interval and test; None of nothing."""
    if not of:
        return None
    test = binomtest(hits, of, 0.5)
    interval = test.proportion_ci(0.95, "wilson")
    return Share(hits, of, hits / of, float(interval.low), float(interval.high), float(test.pvalue))


def results_of(study: Study, answers: Sequence[Answer]) -> StudyResult:
    """Per reader, in order, and pooled; readers without an answer are among them."""
    by_reader = {code: [a for a in answers if a.reader == code] for code in study.readers}
    readers = tuple(_figures(study, study.readers[code], found) for code, found in by_reader.items())
    known = [answer for found in by_reader.values() for answer in found]
    return StudyResult(
        study.id, study.title, study.mode.value, len(study.questions), study.phantom, readers,
        _figures(study, POOLED, known),
    )  # fmt: skip


def table_of(study: Study, answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """A line for each answer, for export: reader's name, question's number, label, truth, choice, confidence."""
    return [
        {
            "reader": study.readers[a.reader], "question": a.question + 1, "label": study.questions[a.question].label,
            "truth": study.questions[a.question].truth, "choice": a.choice,
            "correct": a.choice == study.questions[a.question].truth, "confidence": a.confidence,
            "answered_at": a.answered_at,
        }
        for a in answers
    ]  # fmt: skip


def _figures(study: Study, name: str, answers: Sequence[Answer]) -> ReaderResult:
    truths = [study.questions[answer.question].truth for answer in answers]
    right = [answer.choice == truth for answer, truth in zip(answers, truths, strict=True)]
    single = study.mode is Mode.SINGLES
    synthetic = [hit for hit, truth in zip(right, truths, strict=True) if truth == "synthetic"]
    real = [hit for hit, truth in zip(right, truths, strict=True) if truth == "real"]
    return ReaderResult(
        reader=name,
        answered=len(answers),
        accuracy=share(sum(right), len(right)),
        sensitivity=share(sum(synthetic), len(synthetic)) if single else None,
        specificity=share(sum(real), len(real)) if single else None,
        first=share(sum(answer.choice == study.choices[0] for answer in answers), len(answers)),
        auc=_auc(answers, truths) if single else None,
    )


def _auc(answers: Sequence[Answer], truths: Sequence[str]) -> float | None:
    ratings: dict[str, list[int]] = {"real": [], "synthetic": []}
    for answer, truth in zip(answers, truths, strict=True):
        ratings[truth].append(answer.confidence if answer.choice == "synthetic" else -answer.confidence)
    if not (ratings["real"] and ratings["synthetic"]):
        return None
    statistic = mannwhitneyu(ratings["synthetic"], ratings["real"]).statistic
    return float(statistic) / (len(ratings["real"]) * len(ratings["synthetic"]))
