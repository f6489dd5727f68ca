"""Commands on images: the image side of ``phaseiv run``, the decision-support study, and the reader study.

Belongs here: options and progress of image commands. Does not belong here: what a step does.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.execution import execute
from orchestration.preparation import ended, prepare
from orchestration.settings import Settings

if TYPE_CHECKING:
    from assets.images.place import ImagePlace

reader_app = typer.Typer(
    no_args_is_help=True, help="Clinicians tell real images from synthetic ones, on a local page.",
    epilog="Example: `phaseiv reader-study make lung --out study`, then `phaseiv reader-study serve study`",
)  # fmt: skip


class Modality(StrEnum):
    """What of a use case is run."""

    TABLE = "table"
    IMAGE = "image"


# Environment settings that ``--cohort`` stands for.
SETTING = {Modality.TABLE: "COHORTS", Modality.IMAGE: "IMAGES"}


def run_images(use_cases: Sequence[str], synthesis: dict[str, Any], settings: Settings) -> list[str]:
    """Run the image jobs one after the other, name their reports, and return what failed."""
    from assets.images.factory import image_job

    errors = []
    for name in use_cases:
        place = place_of(name, settings)
        config = {f"{'__'.join(place.prefix)}__synthetic": {"config": synthesis}}
        if error := execute(image_job(name), config, settings):
            errors.append(error)
        if place.page.exists():
            typer.echo(f"report: {place.page}")
    return errors


def image_study(use_case: Annotated[str, typer.Argument(help="A use case whose images were run before.")]) -> None:
    """Train classifiers on real, synthetic and both, from 50 patients to all: what synthetic images gain or lose."""
    from assets.images.factory import study_job

    settings = prepare()
    place = place_of(use_case, settings)
    if error := execute(study_job(use_case), {}, settings):
        raise ended(error, code=1)
    typer.echo(f"study: {place.page.with_name(f'{place.group}_study.png')}")


@reader_app.command("make", epilog="Example: `phaseiv reader-study make lung --questions 40 --readers 3 --out study`")
def make(
    use_case: Annotated[str, typer.Argument(help="A use case whose images were run before.")],
    out: Annotated[
        Path, typer.Option(help="New folder of the study. It holds real images: keep it where they may be.")
    ],
    questions: Annotated[int, typer.Option(min=1, help="Questions to each reader.")] = 40,
    readers: Annotated[int, typer.Option(min=1, help="Codes to hand out, one per reader.")] = 3,
    mode: Annotated[str, typer.Option(help="pairs (which is real?) or singles (is this one real?).")] = "pairs",
    permit: Annotated[str | None, typer.Option(help="Permit that allows showing real images.")] = None,
    valid_until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day.")] = None,
    local_consent: Annotated[bool, typer.Option(help="The holder's own staff looks at them, on this machine.")] = False,
    seed: Annotated[int, typer.Option(help="Draws the questions.")] = 0,
) -> None:
    """Draw a study from held-out real images and the newest synthetic ones, and print its codes."""
    from assets.images.io import image_path
    from deidentification.images import split_images
    from hub.reader_study import Mode, Statement, create_study
    from records.errors import PhaseIVError
    from records.images import read_images

    place = place_of(use_case, prepare())
    try:
        real, synthetic = (
            read_images(image_path(place.workspace, [*place.prefix, name])).table
            for name in ("deidentified", "synthetic")
        )
        _, held_out = split_images(real, place.cohort.image)
        study = create_study(
            out, held_out, synthetic, place.schema, mode=Mode(mode), questions=questions, readers=readers, seed=seed,
            statement=Statement(permit, valid_until.date() if valid_until else None, local_consent),
        )  # fmt: skip
    except (PhaseIVError, ValueError) as error:
        raise ended(str(error), code=1) from error
    for code, name in study.readers.items():
        typer.echo(f"{name}: {code}")
    typer.echo(f"results: {study.organiser}")


@reader_app.command("serve", epilog="Example: `phaseiv reader-study serve study`")
def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of a study.")],
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8400,
) -> None:
    """Show the study on a local page until Ctrl-C; answers are kept at once."""
    from hub.reader_study.server import serve as run_server
    from records.errors import PhaseIVError

    typer.echo(f"http://127.0.0.1:{port}")
    try:
        run_server(folder, port)
    except PhaseIVError as error:
        raise ended(str(error), code=1) from error


def place_of(use_case: str, settings: Settings) -> "ImagePlace":
    from assets.images.place import ImagePlace
    from records.errors import PhaseIVError
    from use_cases.registry import discover

    known = discover()
    if use_case not in known:
        raise ended(f"the use case must be one of {', '.join(known)}, got {use_case}; choose one of these", code=2)
    try:
        chosen = known[use_case].chosen_images(settings.images.get(use_case))
    except PhaseIVError as error:
        raise ended(str(error), code=2) from error
    return ImagePlace(known[use_case], *chosen, settings.workspace())
