"""The image path of a use case: a released folder in three formats, and refusals that leave it as it was."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.factory import storage
from assets.images.factory import build_images, image_job
from assets.workspace import Workspace
from hub.budget import BudgetLedger
from records.files import sha256
from records.images import read_images
from use_cases.registry import UseCase, discover

pytestmark = pytest.mark.slow
FEW = {"patients": 90, "slices": 2}
# So few patients cannot show that nobody is told apart; the limits of the use case refuse them.
LOOSE = {
    "max_membership_auc_upper": 1.0, "max_tstr_loss": 1.0, "min_tstr_auc_lower": 0.0, "max_frechet_share": 1e9,
    "max_radiomics_share": 1e9, "max_similarity_excess": 1.0, "max_copies_excess": 1.0, "min_images": 10,
}  # fmt: skip


def small(limits: dict[str, float]) -> UseCase:
    """The lung use case with phantoms of 32 x 32 points."""
    use_case = discover()["lung"]
    cohort = use_case.images[0]
    image = cohort.image.model_copy(update={"size": (32, 32), "spacing": (11.0, 11.0)})
    return use_case.model_copy(update={"images": (cohort.model_copy(update={"image": image}),), "image_limits": limits})


def ran(
    use_case: UseCase, home: Path, only: Sequence[str] | None = None, **synthesis: Any
) -> dg.ExecuteInProcessResult:  # fmt: skip
    """The image job of the use case, or some of its assets."""
    workspace = Workspace(home)
    definitions = dg.Definitions.merge(build_images(use_case, workspace), dg.Definitions(resources=storage(workspace)))
    config = {"raw_cohort": FEW, "synthetic": {"images": 60, **synthesis}, "image_report": {"seeds": 1}}
    chosen = {name: values for name, values in config.items() if only is None or name in only}
    ops = {f"{use_case.key}__phantom_images__{name}": {"config": values} for name, values in chosen.items()}
    keys = None if only is None else [dg.AssetKey([use_case.key, "phantom_images", name]) for name in only]
    job = definitions.resolve_job_def(image_job(use_case.key))
    return job.execute_in_process(run_config={"ops": ops}, raise_on_error=False, asset_selection=keys)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, new_home: Any) -> tuple[UseCase, Path, Path]:
    use_case, home = small(LOOSE), new_home()
    result = ran(use_case, home)
    assert result.success, [str(e.step_failure_data) for e in result.all_events if e.is_step_failure]
    return use_case, home, home / "releases" / "lung" / "phantom_images" / "lung_ct_phantom"


def test_images_leave_in_three_formats_that_say_what_they_are(released: tuple[UseCase, Path, Path]) -> None:
    _, _, folder = released
    newest = folder / (folder / "latest").read_text().strip()
    manifest = json.loads((newest / "manifest.json").read_text())
    assert manifest["candidate_sha256"] == sha256((newest / "synthetic.npz").read_bytes())
    assert manifest["params"]["phantom"] is True
    table = read_images(newest / "synthetic.npz").table
    assert (len(table), table.phantom) == (60, True)
    for form in ("dicom", "nifti", "png"):
        about = json.loads((newest / form / "about.json").read_text())
        assert "phantom" in json.dumps(about).lower()
        assert len((newest / form / "images.csv").read_text().splitlines()) == 61


def test_a_question_asked_again_costs_nothing_and_gives_the_same_images(released: tuple[UseCase, Path, Path]) -> None:
    use_case, home, folder = released
    ledger = BudgetLedger(Workspace(home).ledger_url)
    spent, newest = ledger.spent("lung_ct_phantom"), (folder / "latest").read_text()
    assert spent > 0
    assert ran(use_case, home, only=("synthetic", "release")).success
    assert ledger.spent("lung_ct_phantom") == spent
    assert (folder / "latest").read_text() == newest


def test_refused_images_leave_the_former_release(released: tuple[UseCase, Path, Path]) -> None:
    _, home, folder = released
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = ran(small({}), home, only=("synthetic", "image_report", "report", "release"), seed=1, epsilon=1.0)
    failed = [event for event in result.all_events if event.is_step_failure]
    assert [event.node_name for event in failed] == ["lung__phantom_images__release"]
    assert "not measurable" in str(failed[0].step_failure_data.user_failure_data)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    page = (home / "reports" / "lung_phantom_images.html").read_text()
    assert "phantom" in page.lower()
