"""What all formats share: facts, refusals, pseudonyms, and folders that are whole or not there."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from records.errors import ParameterError, StorageError, TableError
from records.images.writing import Format, MadeBy, write_folder
from tests.records.images.writing.conftest import as_patients, phantom

pytestmark = pytest.mark.slow

FORMATS = list(Format)


@pytest.mark.parametrize("form", FORMATS)
def test_the_facts_lie_beside_the_images(tmp_path: Path, made_by: MadeBy, form: Format) -> None:
    table, schema = phantom("lung")
    assert write_folder(tmp_path / "out", table, schema, made_by, form=form) == 6
    told = json.loads((tmp_path / "out" / "about.json").read_text())
    assert told["synthetic"] is True
    assert told["phantom"] is True
    assert (told["generator"], told["version"], told["run"]) == ("gaussian_dct", "0.1.0", "run-7f3a")
    assert (told["epsilon"], told["delta"], told["privacy_unit"]) == (1.0, 1e-6, "patient")
    assert told["window"] == [-1000, 400]
    lines = pl.read_csv(tmp_path / "out" / "images.csv")
    assert all((tmp_path / "out" / name).is_file() for name in [*lines["file"], *lines["mask"]])
    assert lines.select(schema.table.names).height == 6


@pytest.mark.parametrize("form", FORMATS)
def test_equal_tables_of_one_run_give_equal_bytes(tmp_path: Path, made_by: MadeBy, form: Format) -> None:
    table, schema = phantom("prostate")
    for name in "ab":
        write_folder(
            tmp_path / name, replace(table, masks=None), schema.model_copy(update={"mask": {}}), made_by, form=form
        )
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) > 6
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)


@pytest.mark.parametrize("form", FORMATS)
def test_images_of_one_class_may_be_written(tmp_path: Path, made_by: MadeBy, form: Format) -> None:
    table, schema = phantom("lung")
    one = table.select((table.rows["malignancy"] == "malignant").to_numpy())
    assert write_folder(tmp_path / "out", one, schema, made_by, form=form) == 2


def test_a_phantom_that_does_not_say_so_gets_a_prefix(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("lung")
    table = replace(table, rows=table.rows.with_columns(pl.format("patient-{}", pl.int_range(6)).alias("pseudonym")))
    write_folder(tmp_path / "out", table, schema, made_by, form=Format.PNG)
    names = pl.read_csv(tmp_path / "out" / "images.csv")["patient"].to_list()
    assert names == [f"phantom-patient-{i}" for i in range(6)]


def test_local_images_do_not_leave(tmp_path: Path, made_by: MadeBy) -> None:
    table, schema = phantom("stroke")
    with pytest.raises(ParameterError, match="must not be local only"):
        write_folder(tmp_path / "out", replace(table, local_only=True), schema, made_by, form=Format.PNG)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["../phantom", "phantom/..", "", ".phantom", "phantom\\1", "phantom^1", "ä" * 60, "phantom" * 7]
)
def test_a_pseudonym_cannot_leave_the_folder_or_break_a_format(tmp_path: Path, made_by: MadeBy, name: str) -> None:
    table, schema = as_patients(*phantom("lung"))
    rows = table.rows.with_columns(
        pl.when(pl.int_range(6) == 0).then(pl.lit(name)).otherwise("pseudonym").alias("pseudonym")
    )
    with pytest.raises(ParameterError, match="got 1 others") as caught:
        write_folder(tmp_path / "out", replace(table, rows=rows), schema, made_by, form=Format.DICOM)
    assert not name or name not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_table_of_another_codebook_is_refused(tmp_path: Path, made_by: MadeBy) -> None:
    table, _ = phantom("lung")
    _, other = phantom("prostate")
    with pytest.raises(TableError, match=r"psa must be in the table(.|\n)*unit must be relative"):
        write_folder(tmp_path / "out", table, other, made_by, form=Format.PNG)


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, made_by: MadeBy, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("records.images.writing.folders.write_csv", full)
    with pytest.raises(StorageError, match="No space left"):
        write_folder(tmp_path / "out", *phantom("lung"), made_by, form=form)
    assert not list(tmp_path.iterdir())


def test_a_former_folder_stays(tmp_path: Path, made_by: MadeBy) -> None:
    write_folder(tmp_path / "out", *phantom("lung"), made_by, form=Format.PNG)
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    with pytest.raises(StorageError, match="new or empty"):
        write_folder(tmp_path / "out", *phantom("lung"), made_by, form=Format.NIFTI)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before


def test_a_missing_library_is_named(tmp_path: Path, made_by: MadeBy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    monkeypatch.delitem(sys.modules, "records.images.writing.nifti", raising=False)
    with pytest.raises(ParameterError, match="got no nibabel; install the extra images"):
        write_folder(tmp_path / "out", *phantom("lung"), made_by, form=Format.NIFTI)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    monkeypatch.delitem(sys.modules, "records.images.writing.dicom_masks", raising=False)
    with pytest.raises(ParameterError, match="got no highdicom; install the extra images"):
        write_folder(tmp_path / "out", *phantom("lung"), made_by, form=Format.DICOM)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes",
    [{"generator": ""}, {"generator": "a\\b"}, {"version": "ä"}, {"run": "x" * 65}, {"epsilon": 1.0}, {"delta": 1e-6}],
)
def test_facts_that_a_file_cannot_bear_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="must"):
        MadeBy(**({"generator": "g", "version": "1", "run": "r"} | changes))  # type: ignore[arg-type]
