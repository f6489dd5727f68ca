"""Columns of telephone numbers as the countries write them at home, and numbers that are none."""

import numpy as np
import polars as pl
import pytest

from deidentification.identification.telephones import telephones

RNG = np.random.default_rng(7)
ROWS = 40
HOME = {
    "FI": "040#######", "FI 050": "050 ### ####", "FI abroad": "35840#######", "FI integer": "45#######", "SE": "070#######",
    "SE integer": "73#######", "ES": "6########", "ES spaced": "6## ### ###", "IT": "333 #######", "PT": "91# ### ###",
    "BE": "0472/##.##.##", "BE bare": "047#######", "UK": "07700######", "UK integer": "7700######",
}  # fmt: skip


def drawn(form: str, rows: int = ROWS) -> pl.Series:
    texts = ["".join(str(RNG.integers(10)) if c == "#" else c for c in form) for _ in range(rows)]
    return pl.Series(texts).unique(maintain_order=True)


@pytest.mark.parametrize("form", HOME)
def test_columns_of_national_numbers_are_known(form: str) -> None:
    values = drawn(HOME[form])
    assert telephones(values).all()
    assert telephones(pl.concat([values, pl.Series(["not known", "none"])])).sum() == len(values)


def test_a_column_with_mobile_and_fixed_numbers_is_known() -> None:
    mixed = pl.concat([drawn("6########"), drawn("9########", ROWS // 2)])
    assert telephones(mixed).all()


def test_a_few_among_words_are_known() -> None:
    towns = pl.Series([f"town {c}" for c in "abcdefgh"])
    assert telephones(pl.concat([towns, drawn("040#######", 3)])).sum() == 3
    assert not telephones(pl.concat([towns, pl.Series(["2019", "123456789"])])).any()


NO_TELEPHONES = {
    "records of nine digits": lambda: RNG.integers(10**8, 10**9, 3000), "of ten": lambda: RNG.integers(10**9, 10**10, 3000),
    "of eight": lambda: RNG.integers(10**7, 10**8, 3000), "a register": lambda: np.arange(600_000_000, 600_003_000),
    "a padded register": lambda: [f"{i:010}" for i in range(400_000_000, 400_003_000)],
    "days": lambda: [f"{d}.{m:02}.{y}" for d in range(1, 29) for m in range(1, 13) for y in (1966, 1977, 2019)],
    "days as numbers": lambda: [f"{y}{m:02}{d:02}" for d in range(1, 29) for m in range(1, 13) for y in (1966, 2019)],
    "measurements": lambda: [f"{v:.7f}" for v in RNG.uniform(300, 400, 3000)],
    "costs": lambda: RNG.integers(10**5, 10**7, 3000),
}  # fmt: skip


@pytest.mark.parametrize("what", NO_TELEPHONES)
def test_other_numbers_are_no_telephones(what: str) -> None:
    values = pl.Series([str(v) for v in NO_TELEPHONES[what]()]).unique()
    assert not telephones(values).any()
