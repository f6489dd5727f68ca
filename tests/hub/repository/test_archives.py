"""Uploaded archives: bombs, names that leave their folder, links, lies about sizes."""

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.repository.archives import Limits, read_archive, safe_name
from records.errors import ParameterError

SMALL = Limits(archive=100_000, files=5, unpacked=200_000, ratio=50)


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return sink.getvalue()


def test_plain_files_are_read() -> None:
    files = {"table.csv": b"a,b\n1,2\n", "folder/plot.png": b"\x89PNG"}
    assert read_archive(packed(files, zipfile.ZIP_DEFLATED)) == files


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "C:\\x",
        "a\\..\\x",
        "c:x",
        "a/./b",
        "a//b",
        "x\n",
        "..",
        "ä\x1b",
        "a" * 201,
        "a:b",
    ],
)
def test_names_that_leave_or_hide_are_refused(name: str) -> None:
    assert not safe_name(name)
    with pytest.raises(ParameterError, match="plain relative paths"):
        read_archive(packed({name: b"x"}))


@given(st.text(max_size=30))
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    if safe_name(name):
        assert (Path("/folder") / name).resolve().is_relative_to("/folder")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(ParameterError, match="times its size"):
        read_archive(packed({"bomb": bytes(150_000)}, zipfile.ZIP_DEFLATED), SMALL)
    with pytest.raises(ParameterError, match="must unpack to"):
        read_archive(packed({f"{n}": bytes(300) + bytes(range(256)) * 300 for n in range(4)}, zipfile.ZIP_DEFLATED),
                     Limits(unpacked=200_000, ratio=10_000))  # fmt: skip


def test_a_lie_about_the_size_does_not_help() -> None:
    data = bytearray(packed({"bomb": bytes(150_000)}, zipfile.ZIP_DEFLATED))
    at = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, at + 24, 10)
    with pytest.raises(ParameterError):
        read_archive(bytes(data), SMALL)


def test_too_large_too_many_and_doubled_are_refused() -> None:
    with pytest.raises(ParameterError, match="at most 100000 bytes"):
        read_archive(bytes(100_001), SMALL)
    with pytest.raises(ParameterError, match="at most 5 files"):
        read_archive(packed({str(n): b"" for n in range(6)}), SMALL)
    with pytest.raises(ParameterError, match="name each file once"):
        read_archive(packed({"a.csv": b"1", "A.CSV": b"2"}))


def test_links_and_encrypted_files_are_refused() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ParameterError, match="a link"):
        read_archive(sink.getvalue())
    data = bytearray(packed({"a": b"x"}))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    with pytest.raises(ParameterError, match="encrypted"):
        read_archive(bytes(data))


@given(st.binary(max_size=300))
def test_noise_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ParameterError, match="archive"):
        read_archive(data)


@given(st.integers(0, 400), st.integers(0, 255))
def test_damage_is_never_another_error(place: int, value: int) -> None:
    data = bytearray(packed({"table.csv": b"a,b\n1,2\n" * 20}, zipfile.ZIP_DEFLATED))
    data[place % len(data)] = value
    with suppress(ParameterError):
        read_archive(bytes(data))
