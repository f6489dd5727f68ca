"""CSV and zip within limits: bombs, traversal, links, lies about sizes."""

import io
import stat
import zipfile

import pytest

from hub.output_checks import reading
from hub.output_checks.reading import read_csv, read_tables
from records.errors import ParameterError

GOOD = b"region,F,M\nN,20,30\nS,,<10\n"


def archive(*members: tuple[str, bytes], link: bool = False) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
            packed.writestr(info, data)
    return made.getvalue()


def test_both_layouts() -> None:
    cross = read_csv("a.csv", GOOD)
    assert cross.variables == ("region", "column")
    assert cross.cells["S", "F"].count is None
    assert cross.cells["S", "M"].count is None
    long = read_csv("b.csv", b"sex,age,count,sum,largest_1,largest_2\nF,18-64,12,40,9,8\n")
    assert long.variables == ("sex", "age")
    assert long.cells["F", "18-64"].largest == (9, 8)


def test_an_archive_of_tables() -> None:
    assert [t.name for t in read_tables("a.zip", archive(("a.csv", GOOD), ("b/c.csv", GOOD)))] == ["a.csv", "b/c.csv"]


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "a/../../b.csv", "..\\a.csv", "C:/a.csv"])
def test_paths_that_leave_the_archive(name: str) -> None:
    with pytest.raises(ParameterError, match="plain relative paths"):
        read_tables("a.zip", archive((name, GOOD)))


def test_links_other_kinds_and_archives_within() -> None:
    with pytest.raises(ParameterError, match="got a link"):
        read_tables("a.zip", archive(("a.csv", b"/etc/passwd"), link=True))
    for name in ("a.exe", "inner.zip", "a"):
        with pytest.raises(ParameterError, match="CSV files only"):
            read_tables("a.zip", archive((name, GOOD)))


def test_a_bomb_is_stopped_while_it_unpacks() -> None:
    bomb = archive(("a.csv", bytes(reading.LARGEST + 1)))
    assert len(bomb) < 100_000
    with pytest.raises(ParameterError, match=f"unpack to at most {reading.LARGEST} bytes"):
        read_tables("a.zip", bomb)


def test_a_size_that_lies_is_found() -> None:
    data = bytearray(archive(("a.csv", GOOD * 100)))
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (5).to_bytes(4, "little")
    with pytest.raises(ParameterError):
        read_tables("a.zip", bytes(data))


def test_too_many_members_and_too_many_bytes() -> None:
    with pytest.raises(ParameterError, match="at most 50 files"):
        read_tables("a.zip", archive(*((f"{i}.csv", GOOD) for i in range(51))))
    with pytest.raises(ParameterError, match="at most 20 MiB"):
        read_tables("a.csv", bytes(reading.LARGEST + 1))


@pytest.mark.parametrize(
    "text",
    [b"", b"a\n", b"a,b\n1\n", b"\xff\xfe", b"region,F\nN,many\n", b"region,F\nN,1.5\n", b"region,F\nN,-3\n", b"r,F\nN,nan\n",
     b"r,F\nN,1\nN,2\n", b"count\n3\n", b"a,a,count\n1,2,3\n", b"PK\x03\x04broken"],
)  # fmt: skip
def test_what_is_no_table_is_refused_without_telling_values(text: bytes) -> None:
    with pytest.raises(ParameterError) as refused:
        read_tables("a.csv", text)
    assert "many" not in str(refused.value)
