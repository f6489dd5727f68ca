"""``python -m benchmarks.dicom`` writes ``docs/benchmarks/dicom.md``.

Belongs here: the page. Does not belong here: what is measured (``peers``, ``speed``, ``text``).
"""

import importlib.metadata
from pathlib import Path

from benchmarks.dicom.peers import TOOLS, Left, left_by
from benchmarks.dicom.planting import COUNT, STRINGS, example_files, places, planted
from benchmarks.dicom.speed import FILES, Cost, cost
from benchmarks.dicom.text import Covered, coverage

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "dicom.md"
WORDS = """# De-identification of DICOM in figures

Made by `python -m benchmarks.dicom` on 2 cores that other programs used too.

## What is left of planted identifiers

{files} DICOM files of pydicom's package, each with {count} strings planted. All tools are measured by the same code: our
verifier, which reads bytes by itself. *X attributes*: distinct attributes of Table E.1-1 with basic action X that are
left in any file. *Nested UIDs*: instance UIDs of the original in items of sequences. *Private*: private elements, all
files. *Strings*: planted strings that survive in at least one file. dicom-anonymizer runs with its list of 2026c, deid
with its default recipe and private elements removed, dicognito with its defaults: it makes files consistent and
pseudonymous, and does not claim the Basic Profile.

| tool | version | files | failed | X attributes | nested UIDs | private | strings of {count} |
|---|---|---|---|---|---|---|---|
{left}

| planted in | {names} |
|---|{dashes}
{where}

`x`: survives. The one string of a place that no rule covers (a name typed into *Manufacturer's Model Name*) is found by
ours since it is an identifier of the same file; a name of somebody else typed there would stay.

## Speed

{made} CT images of 512 x 512 (pydicom's CT_small, 128 x 128, enlarged four times; 10 patients), read, de-identified,
verified and written by 2 processes, without text detection: **{took.clock:.1f} s on the clock**, {took.cpu:.1f} s of processor time,
{each:.0f} ms per file.

## Text burned into pixels

Three lines of text per image (bright; mid-grey; dark on a bright label) in real images enlarged to 512 x 512.
*Covered*: share of the strokes' pixels that are blacked out. *Elsewhere*: share of pixels away from text that are too.

| image | letters, px | covered | elsewhere | s |
|---|---|---|---|---|
{text}

All images: {all:.1%} of strokes covered. What is missed stands on the perfusion map eCT_Supplemental, where text and
tissue have nearly the same grey: a detector does not replace a look at the images.
"""


def main() -> None:
    """Measure all and write the page."""
    files = [planted(data) for _, data in example_files()]
    write_page({name: left_by(tool, files) for name, tool in TOOLS.items()}, len(files), cost(), list(coverage()))


def write_page(left: dict[str, Left], files: int, took: Cost, texts: list[Covered]) -> None:
    """Write ``docs/benchmarks/dicom.md``."""
    PAGE.write_text(
        WORDS.format(
            files=files, count=COUNT, left="\n".join(_row(name, found) for name, found in left.items()),
            names=" | ".join(left), dashes="---|" * len(left), where="\n".join(_places(left)), made=f"{FILES:,}",
            took=took, each=1000 * took.cpu / FILES, text="\n".join(map(_text, texts)),
            all=sum(t.strokes for t in texts) / len(texts),
        ),
        encoding="utf-8",
    )  # fmt: skip


def _row(name: str, left: Left) -> str:
    version = "" if name == "ours" else importlib.metadata.version(name)
    figures = (left.files, left.failed, len(left.x_attributes), left.nested_uids, left.private, len(left.strings))
    return f"| {name} | {version} | {' | '.join(map(str, figures))} |"


def _places(left: dict[str, Left]) -> list[str]:
    rows = zip(STRINGS, places(), strict=True)
    return [
        f"| {place} | {' | '.join('x' if text in found.strings else '' for found in left.values())} |"
        for text, place in rows
    ]


def _text(one: Covered) -> str:
    return f"| {one.base} | {one.height} | {one.strokes:.1%} | {one.others:.2%} | {one.seconds:.1f} |"


if __name__ == "__main__":
    main()
