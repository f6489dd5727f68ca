"""``python -m benchmarks.attacks [compare | audit]``: our attacks beside anonymeter, or the audit of our synthesizer."""

import argparse

from benchmarks.attacks.audit_page import write_audit
from benchmarks.attacks.comparison import compare


def main() -> None:
    """Run what the arguments name and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__)
    parser.add_argument("what", nargs="?", default="compare", choices=["compare", "audit"])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--trials", type=int, default=1000, help="runs of the synthesizer in each world of the audit")
    asked = parser.parse_args()
    if asked.what == "audit":
        write_audit(asked.trials)
    else:
        compare(asked.seeds)


if __name__ == "__main__":
    main()
