"""``python -m benchmarks.attacks [compare | audit]``: our attacks beside anonymeter, or the audit of our synthesizer."""

import argparse

from benchmarks.attacks.comparison import compare


def main() -> None:
    """Run what the arguments name and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__)
    parser.add_argument("what", nargs="?", default="compare", choices=["compare"])
    parser.add_argument("--attacks", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    compare(asked.attacks, asked.seeds)


if __name__ == "__main__":
    main()
