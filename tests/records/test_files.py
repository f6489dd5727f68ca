"""Files are written whole or not at all, even when the disk is full."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from records.files import one_at_a_time

PROGRAM = """
import resource, signal, sys
from pathlib import Path
from records.errors import StorageError
from records.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 10_000)
except StorageError as error:
    print(error)
    sys.exit(3)
"""


def test_full_disk_leaves_the_former_file(tmp_path: Path) -> None:
    target = tmp_path / "t.bin"
    target.write_bytes(b"former")
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "the former file is unchanged" in done.stdout
    assert target.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [target]


def test_who_comes_second_waits(tmp_path: Path) -> None:
    inside: list[str] = []

    def work(name: str) -> None:
        with one_at_a_time(tmp_path / "locks" / "question"):
            inside.append(f"{name} in")
            time.sleep(0.05)
            inside.append(f"{name} out")

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, "abc"))
    assert [line[0] for line in inside[::2]] == [line[0] for line in inside[1::2]]
