"""A study's folder: refused without a statement, whole or not there, telling nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hub.reader_study import Mode, Statement, read_study
from hub.reader_study.server import serve
from records.errors import ParameterError, StorageError
from tests.hub.reader_study.conftest import images

Make = Callable[..., tuple]


def test_a_study_is_read_as_it_was_made(make: Make) -> None:
    folder, study = make()
    assert read_study(folder) == study
    assert len(study.readers) == 2
    assert study.organiser not in study.readers
    assert not study.local_only
    assert folder.stat().st_mode & 0o077 == 0


def test_pictures_tell_nothing_but_the_image(make: Make) -> None:
    folder, study = make(questions=12)
    names = [name for question in study.questions for name in question.pictures]
    assert sorted(path.name for path in (folder / "pictures").iterdir()) == sorted(names)
    for question in study.questions:
        for place, name in enumerate(question.pictures):
            with Image.open(folder / "pictures" / name) as picture:
                assert (picture.mode, picture.size, picture.info) == ("L", (28, 28), {})
                bright = np.asarray(picture).mean() > 127
            assert bright == (place == (0 if question.truth == "left" else 1))
            assert "real" not in name


@pytest.mark.parametrize("statement", [Statement(), Statement(local_consent=False)])
def test_real_images_without_a_statement_are_refused(make: Make, tmp_path: Path, statement: Statement) -> None:
    with pytest.raises(ParameterError, match="must state what allows it"):
        make(statement=statement)
    assert not list(tmp_path.iterdir())


def test_a_permit_must_have_its_last_day() -> None:
    for values in (
        {"permit": "P-7"},
        {"valid_until": date(2026, 1, 1)},
        {"permit": "", "valid_until": date(2026, 1, 1)},
    ):
        with pytest.raises(ParameterError, match="last day"):
            Statement(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("real", "statement", "local"),
    [
        (images("real"), Statement(local_consent=True), True),
        (images("real", local_only=True), Statement("P-7", date(2026, 12, 31)), True),
        (images("real", phantom=True), Statement(), False),
        (images("real", phantom=True, local_only=True), Statement(), True),
        (images("real"), Statement("P-7", date(2026, 12, 31)), False),
    ],
)
def test_what_may_leave_the_machine(make: Make, real, statement: Statement, local: bool) -> None:
    folder, study = make(real=real, statement=statement)
    assert study.local_only == local
    if local:
        with pytest.raises(ParameterError, match=r"must stay on this machine, got the address 0\.0\.0\.0"):
            serve(folder, 0, host="0.0.0.0")


def test_tables_of_another_form_are_refused(make: Make, tmp_path: Path) -> None:
    small = images("synthetic")
    small = replace(small, pixels=small.pixels[:, :20, :20].copy())
    with pytest.raises(ParameterError, match="the synthetic images must have the size"):
        make(synthetic=small)
    with pytest.raises(ParameterError, match="at least one reader"):
        make(readers=0)
    assert not list(tmp_path.iterdir())


def test_another_folder_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"id": "x"}')
    with pytest.raises(StorageError, match="must be the folder of a reader study"):
        read_study(tmp_path)


def test_singles_know_their_answers(make: Make) -> None:
    _, study = make(mode=Mode.SINGLES)
    assert study.choices == ("real", "synthetic")
    assert [q.truth for q in study.questions].count("real") == 5
