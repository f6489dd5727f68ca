"""Units in headers, as five countries write them."""

import polars as pl
import pytest

from harmonisation.assistant.candidates import listed
from harmonisation.assistant.draft import draft
from harmonisation.assistant.headers import parted


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("Hb g/l", "Hb", "g/L"), ("Creatinina mg/dL", "Creatinina", "mg/dL"), ("Kreatinin µmol/l", "Kreatinin", "umol/L"),
        ("Kreatiniini (\u03bcmol/l)", "Kreatiniini", "umol/L"), ("PSA ng/ml", "PSA", "ng/mL"), ("Peso [kg]", "Peso", "kg"),
        ("SpO2 %", "SpO2", "%"), ("Trombosyytit, E9/l", "Trombosyytit", "10*9/L"), ("RR mmHg", "RR", "mm[Hg]"),
        ("Età (a)", "Età", "a"), ("sex", "sex", None), ("Hepatitis a", "Hepatitis a", None), ("vitamin d", "vitamin d", None),
        ("arm (left)", "arm (left)", None), ("mg/dl", "mg/dl", None),
    ],
)  # fmt: skip
def test_a_header_is_parted(header: str, name: str, unit: str | None) -> None:
    assert parted(header) == (name, unit)


@pytest.mark.parametrize(
    ("header", "low", "high", "concept", "unit"),
    [
        ("Hb g/l", 95, 165, "LOINC:718-7", "g/L"), ("Hemoglobiini", 95, 165, "LOINC:718-7", "g/L"),
        ("Hemoglobina", 9.5, 16.5, "LOINC:718-7", "g/dL"), ("Kreatiniini µmol/l", 50, 120, "LOINC:14682-9", "umol/L"),
        ("Creatinina mg/dL", 0.6, 1.9, "LOINC:2160-0", "mg/dL"),
    ],
)  # fmt: skip
def test_the_unit_of_a_header_is_the_proposals(header: str, low: float, high: float, concept: str, unit: str) -> None:
    values = pl.Series(header, [low + (high - low) * i / 99 for i in range(100)])
    entry = draft(values.to_frame(), "table", listed()).columns[header]
    assert (entry.concept, entry.unit) == (concept, unit)


def test_smoking_in_portuguese() -> None:
    values = pl.Series("Hábito tabágico", ["sim", "não"] * 50)
    assert draft(values.to_frame(), "table", listed()).columns["Hábito tabágico"].concept == "LOINC:72166-2"
