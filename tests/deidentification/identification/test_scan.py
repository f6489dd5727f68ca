"""The scan finds planted and real leaks in every kind of column, and raises no alarm on real cohorts."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deidentification.identification.finding import Concern
from deidentification.identification.scan import OWN, refuse_identifiers, scan
from records.errors import TableError
from records.reading import read_table
from records.schema import Column, Kind, Role, Schema
from use_cases.registry import discover

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
COHORTS = [cohort for use_case in discover().values() for cohort in use_case.cohorts if cohort.source.bundled]
ROWS = 60


def refused(frame: pl.DataFrame, identifier: str | None = None) -> dict[tuple[str, str], int]:
    return {(f.column, f.kind): f.rows for f in scan(frame, identifier) if f.concern is Concern.IDENTIFIER}


def text_schema(*names: str) -> Schema:
    columns = [Column(name="id", label="Id", role=Role.IDENTIFIER, kind=Kind.TEXT)]
    columns += [Column(name=n, label=n, role=Role.COVARIATE, kind=Kind.TEXT) for n in names]
    return Schema(name="planted", title="Planted", columns=tuple(columns))


@pytest.mark.parametrize("planted", [
    ("FI henkilötunnus", "131052-308T"), ("SE personnummer", "811228-9874"), ("ES DNI", "12345678Z"),
    ("IT codice fiscale", "RSSMRA85T10A562S"), ("BE rijksregisternummer", "85.07.30-033 28"),
    ("PT Cartão de Cidadão", "00000000 0 ZZ4"), ("UK NHS number", "943 476 5919"),
    ("e-mail", "a.b@hus.fi"), ("telephone", "+358 40 123 4567"), ("telephone", "040-123 4567"),
    ("IBAN", "FI21 1234 5600 0007 85"), ("IP address", "192.168.1.17"), ("web address", "https://hus.fi/p/1"),
    ("record number", "MRN: 12345678"), ("record number", "potilas nro 12345"),
])  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "called back, see {} again", "called back\n{}"])
def test_one_planted_identifier_in_one_row_is_found(planted: tuple[str, str], around: str) -> None:
    kind, value = planted
    frame = pl.DataFrame({"x": ["stable", None, around.format(value), "discharged", "7.25"]})
    assert refused(frame) == {("x", kind): 1}


def test_bare_numbers_count_only_beyond_chance() -> None:
    """Random numbers fit a check digit one time in eleven; a column of NHS numbers fits always."""
    rng = np.random.default_rng(1)
    bases = rng.integers(10**8, 10**9, 3000)
    digits = bases[:, None] // 10 ** np.arange(8, -1, -1) % 10
    check = 11 - digits @ np.arange(10, 1, -1) % 11
    numbers = (bases * 10 + check % 11)[check != 10]
    assert refused(pl.DataFrame({"nhs": numbers})).keys() == {("nhs", "UK NHS number")}
    assert refused(pl.DataFrame({"lab": rng.integers(10**9, 10**10, 3000)})) == {}
    assert refused(pl.DataFrame({"lab": rng.integers(10**8, 10**9, 3000).astype(str)})) == {}


TOWNS = ["Helsinki", "Oulu", "Turku"] * 10


@pytest.mark.parametrize(("kind", "numbers"), [
    ("SE personnummer", ["198112289874"]), ("SE personnummer", ["8112289874"]), ("BE rijksregisternummer", ["85073003328"]),
    ("UK NHS number", ["9434765919", "4010232137"]), ("PT NIF", ["123456789", "196807050"]),
    ("FI henkilötunnus", ["131052308T"]), ("FI henkilötunnus", ["131052–308T"]), ("IT codice fiscale", ["RSS MRA 85T10 A562 S"]),
    ("record number", ["Pat.-Nr. 123456"]), ("record number", ["Utente nº 123456789"]),
])  # fmt: skip
def test_bare_and_oddly_written_numbers_among_words_are_found(kind: str, numbers: list[str]) -> None:
    assert refused(pl.DataFrame({"town": TOWNS + numbers})) == {("town", kind): len(numbers)}


def test_other_numbers_among_words_are_not() -> None:
    rng = np.random.default_rng(2)
    codes = [f"sample {i}" for i in rng.integers(10**9, 10**10, 3000)]
    dated = [f"sample 20{y:02}{m:02}{i:06}" for y in range(24) for m in range(1, 13) for i in range(5)]
    assert refused(pl.DataFrame({"code": codes})) == {}
    assert refused(pl.DataFrame({"code": dated})) == {}
    assert refused(pl.DataFrame({"town": [*TOWNS, "123456780", "2019", "9434765918"]})) == {}


def test_names_are_found_and_categories_are_not() -> None:
    people = ["Virtanen, Anna", "José García López", "Maria de la Cruz", "Päivi Mäkelä", "Unusual Name"]
    assert refused(pl.DataFrame({"who": people * 3})) == {("who", "person names"): 12}
    plain = ["Lung Adenocarcinoma", "Current Reformed Smoker", "San Antonio", "St Mary Hospital", "Male"]
    assert refused(pl.DataFrame({"what": plain * 3})) == {}


@pytest.mark.parametrize("people", [
    ["Virtanen, M.", "Nieminen, T.", "Garcia, J.M.", "Unheardof, K."], ["Korhonen M.", "Dr. Mäkinen A.", "Rossi P.", "Unheardof K."],
    ["M. Virtanen", "T.J. Nieminen", "P. de Sousa", "K. Unheardof"], ["eeva nieminen", "matti korhonen", "laine, aino", "wxyz unheardof"],
    ["Wiśniewski Piotr", "Wójcik Katarzyna", "Łukasz Nowak", "Unheardof Wxyz"], ["Nagy László", "Tóth Gergő", "Szabó Ágnes", "Unheardof Wxyz"],
])  # fmt: skip
def test_names_with_initials_and_in_lower_case_are_found(people: list[str]) -> None:
    assert refused(pl.DataFrame({"doctor": people * 3})) == {("doctor", "person names"): 9}


def test_stages_doses_and_towns_called_after_persons_are_no_names() -> None:
    plain = [
        "hill, n",
        "grade i",
        "T. brucei",
        "stage b",
        "vitamin d",
        "hepatitis c",
        "group a",
        "chronic pain",
        "morgan stage",
    ]
    assert refused(pl.DataFrame({"what": plain * 3})) == {}
    towns = ["Ciudad Rodrigo", "Santiago de Compostela", "Pedro Muñoz", "Vila Franca de Xira", "Puerto del Carmen"]
    assert refused(pl.DataFrame({"town": towns * 3})) == {}


def test_the_tcga_table_keeps_patients_ids_in_t_stage() -> None:
    path = SHARED / "nsclc_tcga.parquet"
    if not path.is_file():
        pytest.skip("the TCGA table is not on this machine")
    table = read_table(path)
    by_hand = table.filter(pl.col("T_STAGE").is_in(table["CASE_ID"].implode())).height
    assert by_hand >= 151
    assert refused(table, "CASE_ID") == {("T_STAGE", OWN): by_hand}


def test_own_numbers_in_another_column_are_told_from_chance() -> None:
    ids = pl.Series("id", range(1000, 1000 + ROWS))
    copied = pl.DataFrame({"id": ids, "copy": ids, "other": ids.reverse(), "age": [1000] * ROWS})
    assert refused(copied, "id") == {("copy", OWN): ROWS}


CHANGED = {
    "zeros lost": (lambda i: f"{i + 1:06}", lambda i: i + 1), "a float": (lambda i: f"{i + 1:06}", lambda i: i + 1.0),
    "one zero lost": (lambda i: f"0{4000123 + i}", lambda i: f"{4000123 + i}"),
    "a visit behind": (lambda i: f"{4000123 + i}", lambda i: f"{4000123 + i}/1"),
    "inside text": (lambda i: f"{4000123 + i}", lambda i: f"ward 3 pt {4000123 + i}"),
    "lower case": (lambda i: f"HUS{4000123 + i}", lambda i: f"hus{4000123 + i}"),
    "no dash": (lambda i: f"HUS-{4000123 + i}", lambda i: f"HUS{4000123 + i}"),
    "no letters": (lambda i: f"HUS-{4000123 + i}", lambda i: 4000123 + i),
    "a row further": (lambda i: f"{4000123 + i}", lambda i: f"{4000123 + (i + 1) % ROWS}"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_own_numbers_are_known_as_spreadsheets_change_them(change: str) -> None:
    identifier, value = CHANGED[change]
    frame = pl.DataFrame({"id": [identifier(i) for i in range(ROWS)], "v": [value(i) for i in range(ROWS)]})
    assert refused(frame, "id") == {("v", OWN): ROWS}


@pytest.mark.parametrize("letters", ["", "HUS-"])
def test_other_numbers_of_the_same_length_are_no_patients(letters: str) -> None:
    """Every value below has the length of an identifier, many are equal to one by chance, and none is the row's own."""
    rng = np.random.default_rng(3)
    ids, other = rng.permutation(np.arange(100_000, 103_000)), rng.integers(100_000, 110_000, 3000)
    text = [f"dose {a} and {b}" for a, b in zip(other, rng.integers(100_000, 110_000, 3000), strict=True)]
    frame = pl.DataFrame(
        {"id": [f"{letters}{i}" for i in ids], "platelets": other, "age": rng.integers(18, 99, 3000), "text": text}
    )
    assert refused(frame, "id") == {}


def test_measurements_within_a_dense_register_are_no_patients() -> None:
    rng = np.random.default_rng(4)
    frame = pl.DataFrame(
        {"id": rng.permutation(np.arange(100_000, 110_000)), "platelets": rng.integers(1000, 1100, 10_000) * 100}
    )
    assert refused(frame, "id") == {}


@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.name)
def test_no_false_alarm_on_bundled_cohorts(cohort) -> None:
    found = refuse_identifiers(cohort.load(), cohort.table)
    assert all(f.concern is Concern.WARNING for f in found)


@pytest.mark.parametrize(("file", "identifier"), [("ist.parquet", None), ("support2.csv.gz", "pid")])
def test_no_false_alarm_on_large_cohorts(file: str, identifier: str | None) -> None:
    if not (SHARED / file).is_file():
        pytest.skip(f"{file} is not on this machine")
    assert refused(read_table(SHARED / file), identifier) == {}


def test_a_covariate_with_identifiers_is_refused_without_a_value() -> None:
    ids = [f"PAT-{i:04d}" for i in range(ROWS)]
    frame = pl.DataFrame(
        {"id": ids, "stage": ["T1", *ids[1:5]] + ["T2"] * (ROWS - 5), "phone": ["040-123 4567"] * ROWS}
    )
    with pytest.raises(TableError) as caught:
        refuse_identifiers(frame, text_schema("stage", "phone"), source="the export")
    problems = {p.column: p.got for p in caught.value.problems}
    assert problems == {"stage": f"4 rows with {OWN}", "phone": f"{ROWS} rows with telephone"}
    assert "PAT-" not in str(caught.value)
    assert "123" not in str(caught.value)


def test_warnings_name_prose_and_almost_unique_columns() -> None:
    notes = [f"patient felt well and was sent home on day {i}" for i in range(ROWS)]
    found = scan(pl.DataFrame({"note": notes, "code": [f"c{i}" for i in range(ROWS)]}))
    assert {(f.column, f.kind) for f in found} == {
        ("note", "almost unique"), ("note", "free text"), ("code", "almost unique"),
    }  # fmt: skip
