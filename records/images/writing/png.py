"""Synthetic images as a folder of grey PNG pictures of 16 bits, the public window from black to white.

Belongs here: pictures and their texts. Does not belong here: other formats.

Layout: ``<patient>/<study>-<series>-<slice>.png`` and the mask beside it as ``...-mask.png``, whose stored numbers are
its classes (nearly black to the eye). Each picture says in itself what it is and which window it shows.

References
----------
PNG (W3C Recommendation, third edition): 11.3.3 (textual data). Pillow writes it.
"""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from records.images.schema import ImageSchema
from records.images.table import INDEX, ImageTable
from records.images.writing.facts import MANUFACTURER, MadeBy
from records.images.writing.folders import Written
from records.images.writing.values import LEVELS, unsigned


def write(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> Written:
    """Pictures and masks."""
    low, high = schema.window
    shown = f"0 is {low:g} and {LEVELS} is {high:g} {schema.unit}"
    texts = _texts(schema, made_by, shown)
    stored = unsigned(schema).stored(table.pixels)
    files, masks = [], []
    for row, (patient, study, series, number) in enumerate(table.rows.select(list(INDEX)).iter_rows()):
        (folder / patient).mkdir(exist_ok=True)
        name = f"{patient}/{study}-{series}-{number:05}"
        files.append(_picture(folder, f"{name}.png", stored[row], texts))
        if table.masks is not None:
            masks.append(_picture(folder, f"{name}-mask.png", table.masks[row], texts))
    return Written(files, masks if table.masks is not None else None, f"16 bits, {shown}")


def _texts(schema: ImageSchema, made_by: MadeBy, shown: str) -> PngInfo:
    texts = PngInfo()
    texts.add_text("Title", f"{schema.title} (synthetic)")
    texts.add_text("Source", made_by.words(schema))
    texts.add_text("Description", shown)
    texts.add_text("Software", f"{MANUFACTURER} {made_by.version}")
    texts.add_text("Warning", "synthetic, not a patient; not for diagnosis")
    return texts


def _picture(folder: Path, name: str, values: NDArray[Any], texts: PngInfo) -> str:
    """Write one grey picture; returns its name."""
    Image.fromarray(values).save(folder / name, pnginfo=texts)
    return name
