"""How fast are the books? Appending, balances and the whole check at a million entries, on SQLite.

``python -m benchmarks.money`` writes ``docs/benchmarks/money.md``.
"""

import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.database.engine import Database
from hub.keys import Keys
from hub.market.splits import divide
from hub.money import heads
from hub.money.accounts import income, payable, receivable, vat
from hub.money.books import trial_balance
from hub.money.check import check
from hub.money.ledger import Posting, balance, post, post_many
from hub.money.notary import LocalNotary

ENTRIES, SINGLE, BATCH = 1_000_000, 1_000, 1_000
HOLDERS = 7
PAGE = Path("docs/benchmarks/money.md")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
OPENING = """# The books at a million entries

`python -m benchmarks.money`: SQLite (WAL, every commit on disk), one process, triggers on: each transaction is refused unless it
is complete and balanced. A sale has 10 entries: the payer, seven holders, the hub's part and VAT.

Seconds of this process (CPU, system calls too), since other work ran on the same 2 cores; beside them the seconds by the clock
under that load.

| step | entries | CPU s | entries per CPU s | s by the clock | wanted |
|---|---|---|---|---|---|
"""


def sale(number: int, chance: random.Random) -> Posting:
    """A purchase divided among seven holders."""
    cents = chance.randrange(1_000, 1_000_000)
    parts = divide(cents - cents // 10, {f"holder {n}": 1 + n for n in range(HOLDERS)})
    tax = cents * 255 // 1000
    entries = [(receivable(f"payer {number % 500}"), cents + tax), (income(), -(cents // 10)), (vat("hub"), -tax)]
    entries += [(payable(name), -part) for name, part in parts.items()]
    return Posting(f"sale:{number}", "sale", f"sale:{number}", tuple(entries))


Took = tuple[float, float]


def timed(step: Callable[[], object]) -> Took:
    """Seconds that ``step`` takes: of the process, and by the clock."""
    begin = time.process_time(), time.perf_counter()
    step()
    return time.process_time() - begin[0], time.perf_counter() - begin[1]


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/hub.db")
        database.create()
        lines = list(measured(database))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = "\n".join(
        f"| {name} | {count:,} | {cpu:.2f} | {count / cpu:,.0f} | {s:.2f} | {goal} |"
        for name, count, (cpu, s), goal in lines
    )
    PAGE.write_text(f"{OPENING}{rows}\n\nAt most {peak:,.0f} MiB of memory.\n", encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def measured(database: Database) -> list[tuple[str, int, Took, str]]:
    """Name, entries, seconds and what was wanted."""
    chance, notary = random.Random(9), LocalNotary(Keys(os.urandom(32), Ed25519PrivateKey.generate()))
    sales = [sale(number, chance) for number in range(ENTRIES // 10)]

    def one_by_one() -> None:
        for posting in sales[:SINGLE]:
            with database.write() as session:
                post(session, posting, now=NOW)

    def together() -> None:
        for at in range(SINGLE, len(sales), BATCH):
            with database.write() as session:
                post_many(session, sales[at : at + BATCH], now=NOW)

    found = [("append, one transaction a commit", SINGLE * 10, timed(one_by_one), "2,000 per s"),
             (f"append, {BATCH:,} transactions a commit", ENTRIES - SINGLE * 10, timed(together), "2,000 per s")]  # fmt: skip
    with database.write() as session:
        found.append(("sign a head over everything", ENTRIES, timed(lambda: heads.sign(session, notary, NOW)), ""))
    with database.read() as session:
        verdict = []
        found += [
            ("balance of one account (the hub's income)", ENTRIES, timed(lambda: balance(session, income())), ""),
            ("trial balance", ENTRIES, timed(lambda: trial_balance(session)), ""),
            ("check of every row", ENTRIES, timed(lambda: verdict.append(check(session, notary))), ""),
        ]
        assert verdict[0].intact
        assert verdict[0].entries == ENTRIES
    found.append(("balance and check together", ENTRIES, _together(found[-1][2], found[-2][2]), "10 s"))
    return found


def _together(one: Took, other: Took) -> Took:
    return one[0] + other[0], one[1] + other[1]


if __name__ == "__main__":
    main()
