from pathlib import Path

import pytest

from federation.party.settings import PartySettings, ResearcherSettings, read_settings
from records.errors import ParameterError

NORTH = """
name: north
home: data
listen: 127.0.0.1:7101
peers: {south: "127.0.0.1:7102", west: "127.0.0.1:7103"}
researchers: [ada]
datasets:
  stroke:
    computations: {counts: auto, synthesis: ask}
    budget_rho: 2.0
computes: {lung: support2_lung}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "party.yaml"
    path.write_text(text)
    return path


def test_a_party_file_is_read_and_paths_are_relative_to_it(tmp_path: Path):
    found = read_settings(written(tmp_path, NORTH), PartySettings)
    assert found.home == tmp_path / "data"
    assert found.credentials.key == tmp_path / "data" / "north.key"
    assert found.credentials.authority == tmp_path / "data" / "authority.pem"
    assert found.datasets["stroke"].computations["synthesis"] == "ask"
    assert found.datasets["stroke"].minimum_count == 10


def test_a_researcher_file_is_read(tmp_path: Path):
    text = "name: ada\nparties: {north: '127.0.0.1:7101'}\n"
    assert read_settings(written(tmp_path, text), ResearcherSettings).parties == {"north": "127.0.0.1:7101"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("counts: auto", "counts: maybe", "computations.counts"),
        ("127.0.0.1:7101", "localhost", "host:port"),
        ("peers: {south", "peers: {north", "itself"),
        ("{lung: ", "{stroke: ", "data sets of others"),
        ("name: north", "nme: north", "nme"),
        ("budget_rho: 2.0", "budget_rho: -1.0", "budget_rho"),
        ("budget_rho: 2.0", "minimum_count: '5'", "minimum_count"),
        ("researchers: [ada]", "researchers: [", "readable YAML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, old: str, new: str, words: str):
    with pytest.raises(ParameterError, match=words):
        read_settings(written(tmp_path, NORTH.replace(old, new)), PartySettings)


def test_all_mistakes_are_told_at_once(tmp_path: Path):
    text = NORTH.replace("auto", "maybe").replace("name: north", "name: North")
    with pytest.raises(ParameterError, match=r"name.*computations"):
        read_settings(written(tmp_path, text), PartySettings)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(ParameterError, match="FileNotFoundError"):
        read_settings(tmp_path / "party.yaml", PartySettings)
