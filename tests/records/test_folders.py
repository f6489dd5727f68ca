"""A folder is whole or not there, whatever breaks off its writing."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from records.errors import ParameterError, StorageError
from records.folders import whole_folder


def test_a_whole_folder_takes_its_name_and_makes_its_parents(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with whole_folder(folder) as target:
        (target / "deep").mkdir()
        (target / "deep" / "one").write_text("1")
        assert not folder.exists()
    assert (folder / "deep" / "one").read_text() == "1"
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_an_empty_folder_may_be_filled_and_a_full_one_not(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with whole_folder(folder) as target:
        (target / "one").touch()
    with pytest.raises(StorageError, match="out must be a new or empty folder"), whole_folder(folder):
        pytest.fail("a full folder was given out")
    assert [path.name for path in folder.iterdir()] == ["one"]


@pytest.mark.parametrize("place", ["file", "link", "dangling"])
def test_files_and_links_are_not_written_over(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="new or empty"), whole_folder(tmp_path / place):
        pytest.fail("a taken place was given out")
    assert (tmp_path / "file").read_text() == "kept"
    assert (tmp_path / place).is_symlink() == (place != "file")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), StorageError),
        (ParameterError("x"), ParameterError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_whatever_goes_wrong_nothing_is_left(tmp_path: Path, error: BaseException, raised: type[BaseException]) -> None:
    def broken_off() -> None:
        with whole_folder(tmp_path / "out") as target:
            (target / "one").touch()
            raise error

    with pytest.raises(raised):
        broken_off()
    assert not list(tmp_path.iterdir())


def test_who_comes_second_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    def both() -> None:
        with whole_folder(tmp_path / "out") as target:
            (target / "second").touch()
            with whole_folder(tmp_path / "out") as other:
                (other / "first").touch()

    with pytest.raises(StorageError, match="must be written whole"):
        both()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["first"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_process_that_is_killed_leaves_no_folder_of_that_name(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from records.folders import whole_folder
with whole_folder(Path(sys.argv[1])) as target:
    (target / "one").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "out")], env={**os.environ}, check=False)
    assert ended.returncode == -9
    assert not (tmp_path / "out").exists()


def test_what_a_killed_process_left_goes_with_the_next_run_and_what_is_written_stays(tmp_path: Path) -> None:
    words = "import sys, time, pathlib; from records.folders import whole_folder\n"
    words += "with whole_folder(pathlib.Path(sys.argv[1])) as at: (at / 'one').touch(); print(at.name, flush=True); time.sleep(60)"
    asked = [sys.executable, "-c", words, str(tmp_path / "out")]
    killed, writing = (subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) for _ in range(2))
    left, kept = (tmp_path / process.stdout.readline().strip() for process in (killed, writing) if process.stdout)
    killed.kill()
    killed.wait()
    try:
        with whole_folder(tmp_path / "out"):
            assert left.exists()  # just made: it may be another's who is about to lock it
        (tmp_path / "out").rmdir()
        for folder in (left, kept):
            os.utime(folder, (0, 0))
        with whole_folder(tmp_path / "out"):
            assert not left.exists()
            assert (kept / "one").exists()
    finally:
        writing.kill()
        writing.wait()


@pytest.mark.parametrize("at", ["fcntl.flock", "os.open"])
def test_what_cannot_be_locked_or_opened_stays_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    left = tmp_path / ".out.abcdefgh"
    left.mkdir()
    os.utime(left, (0, 0))
    asked = os.open

    def refusing(what: object, *more: object, **named: object) -> int:
        if at == "fcntl.flock" or what == left:
            raise OSError(errno.EBADF, "no")
        return asked(what, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(f"records.folders.{at}", refusing)
    with whole_folder(tmp_path / "out") as target:
        (target / "one").touch()
    assert (tmp_path / "out" / "one").exists()
    assert left.exists()
