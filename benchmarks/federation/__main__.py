"""``python -m benchmarks.federation``: measure what has not been measured yet, and write the page.

Belongs here: which programs, sizes and networks. Does not belong here: how one is measured (``network``).
"""

import os
import statistics
from dataclasses import asdict
from pathlib import Path

import polars as pl

from benchmarks.federation.network import OURS, Cost, Line, measure

RESULTS, PAGE = Path("docs/benchmarks/federation.csv"), Path("docs/benchmarks/federation.md")
PEERS = Path(os.environ.get("PHASEIV_PEERS", ".peers"))
MPYC = [str(PEERS / "mpyc/bin/python"), str(Path(__file__).parent / "peers/run_mpyc.py")]
REPETITIONS = 3
FAR = Line(round_trip=0.02, megabits=100)

# Engine, program, parties, size, network.
ENTRIES: list[tuple[str, str, int, int, Line | None]] = [
    *(("ours", "sum", 3, 10**size, None) for size in (4, 5, 6, 7)),
    ("MPyC", "sum", 3, 10**6, None),
    ("ours", "sum", 8, 10**6, None),
    *((engine, "product", 3, 10**5, None) for engine in ("ours", "MPyC")),
    *((engine, "absolute", 3, 2000, None) for engine in ("ours", "MPyC")),
    ("ours", "absolute", 3, 20_000, None),
    *(("ours", name, 3, 100_000, None) for name in ("marginals", "noisy marginals")),
    *(("ours", name, 3, 1000, None) for name in ("logistic", "cox")),
    ("ours", "sum", 3, 10**6, FAR),
    ("ours", "absolute", 3, 2000, FAR),
    ("ours", "noisy marginals", 3, 100_000, FAR),
    *(("ours", name, 3, 1000, FAR) for name in ("logistic", "cox")),
]
ABOUT = {
    "sum": "sum over parties, opened; size: numbers", "product": "square of the sum; size: numbers",
    "absolute": "absolute value of the sum; size: numbers",
    "marginals": "all 190 two-way tables of 20 columns of 10 levels; size: patients a party",
    "noisy marginals": "the same with discrete Gaussian noise of which each party draws a part",
    "logistic": "logistic regression on 20 columns, within 1e-3 of the pooled fit; size: patients a party",
    "cox": "Cox regression on 20 columns, within 1e-2 of the pooled fit; size: patients a party",
}  # fmt: skip


def main() -> None:
    """Results are kept after every entry, so that a broken run goes on where it was."""
    for engine, program, parties, size, line in ENTRIES:
        network = "loopback" if line is None else f"{line.round_trip * 1000:g} ms, {line.megabits:g} Mbit/s"
        key = {"engine": engine, "program": program, "parties": parties, "size": size, "network": network}
        if _known(key):
            continue
        command = OURS if engine == "ours" else MPYC
        costs = [measure(program, parties, size, line=line, command=command) for _ in range(REPETITIONS)]
        row = key | _median(costs) | {"load": round(os.getloadavg()[0], 1)}
        print(row, flush=True)
        known = pl.read_csv(RESULTS) if RESULTS.exists() else pl.DataFrame()
        pl.concat([known, pl.DataFrame([row])], how="diagonal_relaxed").write_csv(RESULTS)
    PAGE.write_text(_page(pl.read_csv(RESULTS)), encoding="utf-8")


def _known(key: dict[str, str | int]) -> bool:
    if not RESULTS.exists():
        return False
    return not pl.read_csv(RESULTS).filter(*(pl.col(name) == value for name, value in key.items())).is_empty()


def _median(costs: list[Cost]) -> dict[str, float]:
    """The fastest is told too: on a machine that others use it is nearest to the truth."""
    rows = [asdict(cost) for cost in costs]
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return {
        "seconds": round(middle["seconds"], 2), "fastest": round(min(row["seconds"] for row in rows), 2),
        "processor": round(middle["processor"], 2), "megabytes": round(middle["bytes"] / 1e6, 1),
        "messages": int(middle["messages"]), "MiB": int(middle["memory"] / 2**20),
    }  # fmt: skip


def _page(rows: pl.DataFrame) -> str:
    head = ["engine", "parties", "size", "network", "seconds", "fastest", "processor", "megabytes", "MiB", "load"]
    lines = []
    for program in ABOUT:
        found = rows.filter(pl.col("program") == program).sort(
            "network", "parties", "size", "engine", descending=[True, *[False] * 3]
        )
        lines += [f"## {program.capitalize()}", "", f"{ABOUT[program][0].upper()}{ABOUT[program][1:]}.", ""]
        lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        lines += [f"| {' | '.join(_cell(row[name]) for name in head)} |" for row in found.iter_rows(named=True)]
        lines.append("")
    return INTRODUCTION + "\n".join(lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


INTRODUCTION = f"""# What computing together costs

`nice -n -15 python -m benchmarks.federation`. Each party is a process of its own on one machine of 2 cores, which others
used too; connections of ours are mutual TLS 1.3. The time runs from the moment that all parties are connected until the
last one has the result, which is checked. *Seconds* is the median of {REPETITIONS} runs and *fastest* the least; *processor* is the
processor time of all parties together, which other work disturbs least; half of it is the least that 2 cores can reach.
*Megabytes* is what all parties sent; *MiB* the largest peak memory of one process, about 80 of which are Python with its
libraries; *load* is the machine's load at the end. Compare rows of similar load. An entry is measured again by deleting
its line in `federation.csv`; the sums were, after a first run at loads of 8 to 14 took up to four times as long.

Where a network is given, relays between the parties delay every byte by half of the round trip and let each party send and
receive so much a second (`benchmarks/federation/link.py`; the kernel here has no `netem`). MPyC is version 0.11 with
numpy and gmpy2 in an environment of its own (`python -m venv .peers/mpyc`), without TLS, which favours it; its threshold
is ours, its field a little larger.

"""

if __name__ == "__main__":
    main()
