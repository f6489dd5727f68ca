"""One use case's image assets, checks and jobs.

Belongs here: putting the definitions of a use case's images together. Does not belong here: settings
(``orchestration``).
"""

import dagster as dg

from assets.images.checks import image_checks
from assets.images.cohort import image_cohort_assets
from assets.images.evaluation import image_report_asset
from assets.images.place import ImagePlace
from assets.images.release import image_release_asset
from assets.images.report import image_page_asset
from assets.images.requests import requested_images_asset
from assets.images.study import decision_support_asset
from assets.images.synthesis import synthetic_images_asset
from assets.requests import OpenHub
from assets.workspace import Workspace
from use_cases.registry import UseCase


def build_images(
    use_case: UseCase, workspace: Workspace, open_hub: OpenHub, setting: str | None = None
) -> dg.Definitions:
    """All definitions of a use case's images; ``setting`` names the image cohort and its folder."""
    place = ImagePlace(use_case, *use_case.chosen_images(setting), workspace)
    pipeline = [
        *image_cohort_assets(place),
        synthetic_images_asset(place),
        image_report_asset(place),
        image_page_asset(place),
        image_release_asset(place),
    ]
    study, requested = decision_support_asset(place), requested_images_asset(place, open_hub)
    title = place.cohort.image.title
    jobs = [
        dg.define_asset_job(
            image_job(use_case.key), dg.AssetSelection.assets(*pipeline), executor_def=dg.in_process_executor,
            description=f"{title}: from the raw images to the release.",
        ),
        dg.define_asset_job(
            study_job(use_case.key), dg.AssetSelection.assets(study), executor_def=dg.in_process_executor,
            description=f"{title}: what a classifier gains or loses by synthetic images, by number of patients.",
        ),
        dg.define_asset_job(
            images_on_demand_job(use_case.key), dg.AssetSelection.assets(requested), executor_def=dg.in_process_executor,
            description=f"{title}: one order of the hub, from learning to the repository.",
        ),
    ]  # fmt: skip
    return dg.Definitions(assets=[*pipeline, study, requested], jobs=jobs, asset_checks=image_checks(place))


def image_job(use_case: str) -> str:
    """The job of a use case's images."""
    return f"{use_case}_images"


def images_on_demand_job(use_case: str) -> str:
    """The job that works off orders of images."""
    return f"{use_case}_images_on_demand"


def study_job(use_case: str) -> str:
    """The job of a use case's decision-support study."""
    return f"{use_case}_image_study"
