"""OMOP databases: what is written comes back, several cohorts share one, and nothing is ever half written."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from harmonisation.omop.bulk import insert
from harmonisation.omop.cdm import Cdm
from harmonisation.omop.exchange import read_cdm, read_omop, write_cdm, write_omop
from harmonisation.omop.fit import default_mapping
from harmonisation.omop.mapping import Concept, Mapped, OmopMapping, Table
from records.errors import ParameterError, StorageError, TableError
from records.schema import Column, Kind, Role, Schema
from use_cases.cohort import Cohort
from use_cases.omop import omop_mapping
from use_cases.registry import discover

COHORTS = {cohort.name: cohort for use_case in discover().values() for cohort in use_case.cohorts}
ACROSS = """
    SELECT s.cdm_source_abbreviation AS cohort, count(*) AS persons,
           avg(CASE WHEN d.death_date <= p.observation_period_start_date + {year} THEN 1.0 ELSE 0.0 END) AS dead
    FROM person x
    JOIN observation_period p ON p.person_id = x.person_id
    JOIN condition_occurrence c ON c.person_id = x.person_id
    JOIN cdm_source s ON s.cdm_source_abbreviation = c.condition_source_value
    LEFT JOIN death d ON d.person_id = x.person_id
    GROUP BY s.cdm_source_abbreviation ORDER BY 1
"""


@cache
def patients(name: str) -> pl.DataFrame:
    return COHORTS[name].load()


def stored(cohort: Cohort, url: str, *, append: bool = False, rows: int = 30) -> dict[str, int]:
    mapping = omop_mapping(cohort)
    assert mapping is not None
    return write_omop(patients(cohort.name).head(rows), cohort.table, mapping, url, append=append)


def back(cohort: Cohort, url: str) -> pl.DataFrame:
    mapping = omop_mapping(cohort)
    assert mapping is not None
    return read_omop(url, cohort.table, mapping)


def counts(url: str) -> dict[str, int]:
    return read_cdm(url).counts


@pytest.mark.slow
def test_three_diseases_share_a_database(url: str) -> None:
    """All cohorts come back from one database, and one query of SQL compares their deaths with the source tables."""
    names = ("byar_greene", "copenhagen", "ncctg_lung")
    for name in names:
        stored(COHORTS[name], url, append=True, rows=600)
    for name in names:
        assert_frame_equal(back(COHORTS[name], url), patients(name).sort("patient_id"), check_exact=True)
    engine = sa.create_engine(url)
    year = "365" if engine.dialect.name != "sqlite" else "0"
    query = ACROSS.format(year=year)
    if engine.dialect.name == "sqlite":
        query = query.replace(
            "p.observation_period_start_date + 0", "date(p.observation_period_start_date, '+365 days')"
        )
    with engine.connect() as connection:
        answer = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    for name, persons, dead in answer:
        table = patients(name)
        days = pl.col("time") * (365.25 / 12 if name == "byar_greene" else 1)
        expected = table.select(((pl.col("event") == "1") & (days.round() <= 365)).mean()).item()
        assert (persons, float(dead)) == (table.height, pytest.approx(expected))
    assert [row[0] for row in answer] == sorted(names)


@pytest.mark.slow
def test_the_documented_question_has_the_documented_answer(tmp_path: Path) -> None:
    url, names = f"sqlite:///{tmp_path}/omop.db", ("byar_greene", "copenhagen", "support2_lung")
    for name in names:
        stored(COHORTS[name], url, append=True, rows=2000)
    page = (Path(__file__).parents[3] / "docs" / "harmonisation.md").read_text(encoding="utf-8")
    question = page.partition("```sql\n")[2].partition("```")[0]
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        answer = {row[0]: tuple(row)[1:] for row in connection.exec_driver_sql(question)}
    engine.dispose()
    assert tuple(answer) == names
    for name, (disease, persons, age, dead) in answer.items():
        table = patients(name).filter(pl.col("age").is_not_null())
        assert (persons, age) == (table.height, table.select(pl.col("age").floor().median()).item())
        days = (pl.col("time") * (365.25 / 12 if name == "byar_greene" else 1)).round()
        assert dead == pytest.approx(table.select(((pl.col("event") == "1") & (days <= 365)).mean()).item())
        assert f"({disease}) | {persons} | {age:.0f} | {100 * dead:.1f} % |" in page


def test_ids_do_not_collide(url: str) -> None:
    first = stored(COHORTS["ncctg_lung"], url)
    second = stored(COHORTS["copenhagen"], url, append=True)
    cdm = read_cdm(url).check()
    assert cdm.counts["person"] == first["person"] + second["person"]
    assert cdm.counts["cdm_source"] == 2
    people = cdm["person"]["person_id"].implode()
    for table in ("measurement", "observation", "condition_occurrence", "death", "visit_occurrence"):
        assert cdm[table]["person_id"].is_in(people).all(), table
    assert (
        cdm["measurement"]["visit_occurrence_id"].is_in(cdm["visit_occurrence"]["visit_occurrence_id"].implode()).all()
    )


def test_other_persons_are_not_mixed_by_chance(url: str) -> None:
    stored(COHORTS["ncctg_lung"], url)
    before = counts(url)
    with pytest.raises(StorageError, match="must be empty, got 30 persons"):
        stored(COHORTS["copenhagen"], url)
    with pytest.raises(StorageError, match="must not hold these patients yet, got 30 of ncctg_lung"):
        stored(COHORTS["ncctg_lung"], url, append=True)
    assert counts(url) == before


def test_an_error_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses the last table; the tables before it are gone again."""
    stored(COHORTS["ncctg_lung"], url)
    before = counts(url)

    def breaking(connection: sa.Connection, table: str, frame: pl.DataFrame) -> None:
        insert(connection, table, frame)
        if table == "death":
            insert(connection, table, frame)

    monkeypatch.setattr("harmonisation.omop.exchange.insert", breaking)
    with pytest.raises(StorageError, match="it is as it was"):
        stored(COHORTS["copenhagen"], url, append=True)
    assert counts(url) == before


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_failed_first_writing_leaves_no_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cdm = Cdm({"person": pl.DataFrame({"person_id": [1]})})
    with pytest.raises(TableError):
        write_cdm(cdm, f"{kind}:///{tmp_path}/new.db", cohort="x")
    twice = pl.DataFrame({"person_id": [1, 1], "death_date": [None, None]}, schema_overrides={"death_date": pl.Date})
    monkeypatch.setattr(Cdm, "check", lambda self: self)
    with pytest.raises(StorageError):
        write_cdm(Cdm({"death": twice}), f"{kind}:///{tmp_path}/new.db", cohort="x")
    assert not list(tmp_path.iterdir())


def test_reading_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/omop.db"
    stored(COHORTS["ncctg_lung"], url)
    before = (tmp_path / "omop.db").read_bytes()
    back(COHORTS["ncctg_lung"], url)
    assert (tmp_path / "omop.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["omop.db"]


@pytest.mark.parametrize(
    "url", ["oracle://x:hunter2@host/db", "postgresql://x@host:hunter2/db", "nothing", "omop.db", ""]
)
def test_unknown_urls_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ParameterError, match="must have a URL such as sqlite") as caught:
        read_cdm(url)
    assert "hunter2" not in str(caught.value)


def test_absent_databases_are_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"must exist, got no file absent\.db"):
        read_cdm(f"sqlite:///{tmp_path}/absent.db")
    assert not list(tmp_path.iterdir())
    with pytest.raises(StorageError, match="got OperationalError") as caught:
        read_cdm("postgresql://tester:hunter2@127.0.0.1:1/omop")
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("patient,age\n1,70\n" * 100)
    with pytest.raises(StorageError, match="got DatabaseError"):
        read_cdm(f"sqlite:///{tmp_path}/no.db")


def altered(tmp_path: Path, *statements: str) -> str:
    url = f"sqlite:///{tmp_path}/omop.db"
    stored(COHORTS["ncctg_lung"], url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return url


def test_missing_tables_are_named(tmp_path: Path) -> None:
    url = altered(tmp_path, "DROP TABLE measurement", "DROP TABLE death")
    with pytest.raises(StorageError, match="must have the tables death, measurement"):
        back(COHORTS["ncctg_lung"], url)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    url = altered(tmp_path, "ALTER TABLE person RENAME COLUMN year_of_birth TO born")
    with pytest.raises(TableError, match=r"person\.year_of_birth must be present"):
        back(COHORTS["ncctg_lung"], url)


def test_broken_values_are_counted_and_not_told(tmp_path: Path) -> None:
    url = altered(tmp_path, "UPDATE death SET death_date = '31.12.secret' WHERE person_id < 10")
    with pytest.raises(TableError, match=r"death\.death_date must hold date values, got \d+ that are not") as caught:
        back(COHORTS["ncctg_lung"], url)
    assert "secret" not in str(caught.value)


def test_numbers_and_texts_survive(url: str) -> None:
    """Digits beyond the third decimal, quotes, commas and line ends."""
    measured = pl.DataFrame(
        {
            "measurement_id": [1, 2, 3, 4], "person_id": 1, "measurement_concept_id": 0,
            "measurement_date": pl.Series(["2000-01-01"] * 4).str.to_date(), "measurement_type_concept_id": 32809,
            "value_as_number": [0.1 + 0.2, 1e-9, None, 123456789.123456], "value_source_value": ['a"b', "c,d", None, "e\nf"],
        }
    )  # fmt: skip
    cohort = COHORTS["ncctg_lung"]
    cdm = Cdm(dict(stored_cdm(cohort).tables) | {"measurement": measured})
    write_cdm(cdm, url, cohort=cohort.name)
    kept = read_cdm(url)["measurement"].sort("measurement_id")
    assert_frame_equal(kept.select(measured.columns), measured, check_exact=True, check_dtypes=False)


def test_signs_that_queries_know_survive(url: str) -> None:
    """Percent signs, quotes, colons and backslashes in what a column's records are found by."""
    share = Column(
        name="share", label="Share", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"0": "no", "50 %": "half"}
    )
    patient = Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT)
    meaning = Schema(name="made", title="Made", columns=(patient, share))
    mapped = Mapped(table=Table.CONDITION, levels={"50 %": Concept()}, source="of 100%: it's \\")
    frame = pl.DataFrame({"patient_id": ["a", "b"], "share": ["0", "50 %"]}, schema=meaning.polars())
    mapping = OmopMapping(cohort="made", columns={"share": mapped})
    write_omop(frame, meaning, mapping, url)
    assert_frame_equal(read_omop(url, meaning, mapping), frame)


def stored_cdm(cohort: Cohort) -> Cdm:
    from harmonisation.omop.export import to_cdm

    return to_cdm(patients(cohort.name).head(5), cohort.table, default_mapping(cohort.table))
