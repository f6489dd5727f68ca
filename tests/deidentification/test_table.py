"""A table file for release: nothing of the patient survives, the report adds up, and a refusal writes nothing."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pycanon.anonymity as pycanon
import pytest

from deidentification.anonymity.models import Anonymity
from deidentification.opt_out import OptOuts, hub_pseudonyms, record_choices
from deidentification.project_keys import fingerprint
from deidentification.pseudonyms import pseudonymise
from deidentification.table import TableReport, deidentify_table
from records.errors import CodebookError, ParameterError, StorageError, TableError
from records.schema import Column, Kind, Role, Schema
from tests.deidentification.anonymity import tables

KEY, PERMIT = b"k" * 32, date(2026, 3, 1)
ROWS = 300
QUASI = ["age", "sex", "ward", "region"]


def column(name: str, role: Role, kind: Kind, **more) -> Column:
    return Column(name=name, label=name, role=role, kind=kind, **more)


DATES = {"kind": Kind.DATE, "earliest": date(2000, 1, 1), "latest": date(2026, 12, 31)}
EXTRA = (
    column("patient", Role.IDENTIFIER, Kind.TEXT),
    column("name", Role.IDENTIFIER, Kind.TEXT),
    column("admitted", Role.COVARIATE, **DATES),
    column("discharged", Role.COVARIATE, **DATES),
    column("note", Role.COVARIATE, Kind.TEXT),
    column("stage", Role.COVARIATE, Kind.CATEGORY, levels={"T1": "T1", "T2": "T2"}),
)


def schema(index: str | None = "admitted") -> Schema:
    small = tables.schema(*QUASI)
    return Schema(name="small", title="Small", columns=(*EXTRA, *small.columns), index_date=index)


K5 = Anonymity(k=5)


def source(folder: Path, **changes: list) -> Path:
    frame, _ = tables.table(ROWS, 5, tuple(QUASI))
    admitted = pl.Series([date(2020, 1 + i % 12, 1 + i % 28) for i in range(ROWS)])
    told = pl.DataFrame(
        {"patient": [f"HUS-{i:06d}" for i in range(ROWS)], "name": ["Anna Virtanen", "Matti Korhonen"] * (ROWS // 2),
         "admitted": admitted.dt.to_string("%d.%m.%Y"), "discharged": [str(d) for d in admitted.dt.offset_by("9d")], "note": ["came home well"] * ROWS,
         "stage": ["T1", "T2"] * (ROWS // 2)}
    )  # fmt: skip
    path = folder / "export.csv"
    pl.concat([told, frame], how="horizontal").with_columns(pl.Series(n, v) for n, v in changes.items()).write_csv(path)
    return path


def done(
    folder: Path, out: str = "out.csv", codebook: Schema | None = None, demand: Anonymity = K5, key: bytes = KEY, **more
) -> TableReport:
    path = folder / "export.csv"
    if not path.exists():
        source(folder)
    return deidentify_table(path, folder / out, codebook or schema(), demand, key=key, **more)


@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_nothing_of_a_patient_survives_and_the_report_adds_up(tmp_path: Path, out: str) -> None:
    before = source(tmp_path).read_bytes()
    steps: list[str] = []
    report = done(tmp_path, out, demand=Anonymity(5, l=2, suppression=0.1), tell=steps.append)
    written = pl.read_csv(tmp_path / out) if out.endswith("csv") else pl.read_parquet(tmp_path / out)
    text = written.write_csv()
    assert not any(told in text for told in ("HUS-", "Virtanen", "2020-", "came home"))
    assert (tmp_path / "export.csv").read_bytes() == before
    plain = written.with_columns(pl.col(QUASI).cast(pl.String).fill_null("missing")).to_pandas()
    assert pycanon.k_anonymity(plain, QUASI) >= 5
    assert pycanon.l_diversity(plain, QUASI, ["diagnosis", "score"]) >= 2
    assert written["discharged_days"].unique().to_list() == [9]
    told = json.loads((tmp_path / f"{out}.report.json").read_text())
    assert told == report.to_json()
    assert told["rows"] == ROWS == told["released"] + told["suppressed"] + told["excluded"]
    assert told["released"] == written.height
    assert told["key_fingerprint"] == fingerprint(KEY)
    assert told["columns"]["name"] == "removed: identifier"
    assert told["columns"]["note"] == "removed: free text"
    assert told["dates"]["admitted"]["whole"] == ROWS
    assert told["anonymity"]["after"]["prosecutor_highest"] <= 0.2 < told["anonymity"]["before"]["prosecutor_highest"]
    assert (tmp_path / f"{out}.risk.png").read_bytes().startswith(b"\x89PNG")
    assert len(steps) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["export.csv", out, f"{out}.report.json", f"{out}.risk.png"]
    )


def test_without_an_index_date_dates_move_per_patient(tmp_path: Path) -> None:
    done(tmp_path, codebook=schema(None))
    written = pl.read_csv(tmp_path / "out.csv", try_parse_dates=True)
    assert (written["discharged"] - written["admitted"]).dt.total_days().unique().to_list() == [9]
    raw = pl.read_csv(tmp_path / "export.csv").with_columns(
        pl.col("admitted").str.to_date("%d.%m.%Y"), pseudonym=pseudonymise(pl.read_csv(tmp_path / "export.csv")["patient"], KEY)
    )  # fmt: skip
    both = written.join(raw, on="pseudonym", suffix="_was")
    moves = (both["admitted"] - both["admitted_was"]).dt.total_days()
    assert both.height == written.height
    assert moves.n_unique() > 100
    assert moves.abs().is_between(1, 365).all()


def test_those_who_opted_out_are_left_out(tmp_path: Path) -> None:
    ids = pl.read_csv(source(tmp_path))["patient"]
    register, ours = tmp_path / "opted_out.jsonl", pseudonymise(ids, KEY)
    record_choices(register, ours[:7], "out", date(2026, 1, 1))
    record_choices(register, ours[:2], "in", date(2026, 2, 1))
    record_choices(register, ours[20:30], "out", date(2026, 3, 2))
    report = done(tmp_path, opt_outs=OptOuts(register, PERMIT, KEY))
    assert report.excluded == 5
    assert not set(pl.read_csv(tmp_path / "out.csv")["pseudonym"]) & set(ours[2:7])
    assert done(tmp_path, "other.csv", key=b"p" * 32, opt_outs=OptOuts(register, PERMIT, KEY)).excluded == 5
    record_choices(register, hub_pseudonyms(ids[100:103], b"h" * 32), "out", date(2026, 1, 1))
    with pytest.raises(ParameterError, match="hub's key for opt-outs"):
        done(tmp_path, opt_outs=OptOuts(register, PERMIT, KEY))
    assert done(tmp_path, opt_outs=OptOuts(register, PERMIT, KEY, b"h" * 32)).excluded == 8


def test_a_release_is_not_replaced_under_another_key(tmp_path: Path) -> None:
    done(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ParameterError, match=f"the former out.csv must have the fingerprint {fingerprint(KEY)}"):
        done(tmp_path, key=b"n" * 32)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert done(tmp_path, "new.csv", key=b"n" * 32).released > 0


def named(name: str) -> Schema:
    plain = schema()
    columns = tuple(c.model_copy(update={"name": name}) if c.name == "stage" else c for c in plain.columns)
    return plain.model_copy(update={"columns": columns})


@pytest.mark.parametrize("name", ["discharged_days", "pseudonym"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, name: str) -> None:
    pl.read_csv(source(tmp_path), infer_schema=False).rename({"stage": name}).write_csv(tmp_path / "export.csv")
    with pytest.raises(CodebookError, match=f"got two of {name}"):
        done(tmp_path, codebook=named(name))


def test_a_folder_in_a_files_place_leaves_the_former_release_whole(tmp_path: Path) -> None:
    done(tmp_path)
    (tmp_path / "out.csv.risk.png").unlink()
    (tmp_path / "out.csv.risk.png").mkdir()
    before = (tmp_path / "out.csv").read_bytes()
    with pytest.raises(StorageError, match=r"out\.csv\.risk\.png must be a file's name"):
        done(tmp_path, demand=Anonymity(k=9))
    assert (tmp_path / "out.csv").read_bytes() == before


REFUSED = [
    (TableError, {"stage": ["HUS-000007"] + ["T1", "T2"] * (ROWS // 2 - 1) + ["T1"]}, {}),
    (TableError, {"stage": ["131052-308T"] + ["T1", "T2"] * (ROWS // 2 - 1) + ["T1"]}, {}),
    (TableError, {"discharged": ["soon"] * ROWS}, {}),
    (TableError, {"region": ["Helsinki"] * ROWS}, {}),
    (ParameterError, {}, {"demand": Anonymity(ROWS + 1)}),
    (ParameterError, {}, {"demand": Anonymity(5, l=6)}),
    (ParameterError, {}, {"key": b"short"}),
    (ParameterError, {}, {"out": "out.xlsx"}),
    (ParameterError, {}, {"out": "export.csv"}),
    (StorageError, {}, {"opt_outs": OptOuts(Path("nowhere.jsonl"), PERMIT, KEY)}),
]


@pytest.mark.parametrize(("error", "planted", "asked"), REFUSED)
def test_a_refusal_writes_nothing_and_quotes_nothing(tmp_path: Path, error, planted: dict, asked: dict) -> None:
    source(tmp_path, **planted)
    former = {name: b"former" for name in ("out.csv", "out.csv.report.json", "out.csv.risk.png")}
    for name, data in former.items():
        (tmp_path / name).write_bytes(data)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(error) as caught:
        done(tmp_path, **asked)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not any(told in str(caught.value) for told in ("HUS-", "131052", "soon", "Helsinki"))


def test_the_risk_before_is_that_of_the_source(tmp_path: Path) -> None:
    """Dates are moved by patient and ages capped before the search, which made the table look more unique than it was."""
    plain = schema(None)
    roles = {
        "admitted": Role.QUASI_IDENTIFIER,
        "age": Role.COVARIATE,
        "ward": Role.COVARIATE,
        "region": Role.IDENTIFIER,
    }
    columns = [c.model_copy(update={"role": roles.get(c.name, c.role), "groups": {}}) for c in plain.columns]
    before = done(tmp_path, codebook=plain.model_copy(update={"columns": tuple(columns)})).anonymity.before
    raw = pl.read_csv(tmp_path / "export.csv", infer_schema=False)
    sizes = raw.group_by("sex", "admitted").len()["len"]
    assert (before.rows, before.classes, before.unique) == (ROWS, len(sizes), (sizes == 1).sum())
    assert before.unique < ROWS / 2


def test_what_others_may_know_and_k_does_not_count_is_told(tmp_path: Path) -> None:
    plain = schema()
    roles = {"age": Role.COVARIATE, "sex": Role.COVARIATE, "ward": Role.COVARIATE, "region": Role.IDENTIFIER}
    columns = [
        c.model_copy(update={"role": roles.get(c.name, c.role), "top_code": None, "groups": {}}) for c in plain.columns
    ]
    source(tmp_path, age=[95] * 3 + [70] * (ROWS - 3))
    told = done(tmp_path, codebook=plain.model_copy(update={"columns": tuple(columns)})).cautions
    assert [words.split(" ")[0] for words in told] == ["no", "age", "age", "sex"]
    assert "k and the risks mean nothing" in told[0]
    assert "3 patients older than 90" in told[2]
    assert json.loads((tmp_path / "out.csv.report.json").read_text())["cautions"] == list(told)
    assert done(tmp_path, "other.csv").cautions == ()


def with_diagnosis() -> Schema:
    plain = schema()
    coded = column("dx", Role.QUASI_IDENTIFIER, Kind.TEXT, codes={"ICD-10": "2019"})
    return plain.model_copy(update={"columns": (*plain.columns, coded)})


def test_one_diagnosis_written_in_several_ways_is_one(tmp_path: Path) -> None:
    source(tmp_path, dx=["C34.1", "C341", "c34.1", " C34.1", "C34.1+", "C341"] * (ROWS // 6))
    report = done(tmp_path, codebook=with_diagnosis())
    assert pl.read_csv(tmp_path / "out.csv")["dx"].unique().to_list() == ["C34.1"]
    assert report.anonymity.levels["dx"] == "as recorded"


def test_wrong_codes_come_with_all_other_problems_in_one_error(tmp_path: Path) -> None:
    source(tmp_path, dx=["oops", "C34"] * (ROWS // 2), age=[333] * ROWS, region=["Oulu, FI"] * ROWS)
    with pytest.raises(TableError) as caught:
        done(tmp_path, codebook=with_diagnosis())
    assert [(p.column, p.got) for p in caught.value.problems] == [
        ("age", f"{ROWS} rows outside"), ("region", f"{ROWS} other values"), ("dx", f"{ROWS // 2} other values"),
    ]  # fmt: skip


def test_a_place_that_cannot_be_written_is_told_by_its_name_and_not_called_full(tmp_path: Path) -> None:
    source(tmp_path)
    with pytest.raises(StorageError, match=r"^out\.csv must be written whole, got .*; name another place") as caught:
        deidentify_table(tmp_path / "export.csv", Path("/proc/out.csv"), schema(), K5, key=KEY)
    assert "disk space" not in str(caught.value)
