"""The IO manager of image tables: one file each, written whole or not at all.

Belongs here: how image assets are stored. Does not belong here: what is in them.
"""

from pathlib import Path

import dagster as dg

from assets.workspace import Workspace
from records.images.storage import ImageFile, read_images, write_images
from records.images.table import ImageTable


def image_path(workspace: Workspace, asset: list[str]) -> Path:
    """File of an asset's images."""
    return workspace.home.joinpath("storage", *asset).with_suffix(".npz")


class ImageIOManager(dg.IOManager):
    """Stores an image table; loads ``ImageFile`` (table and sha256)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: ImageTable) -> None:
        """Write the images to a temporary file and rename it."""
        write_images(image_path(self.workspace, list(context.asset_key.path)), obj)

    def load_input(self, context: dg.InputContext) -> ImageFile:
        """The stored images."""
        return read_images(image_path(self.workspace, list(context.asset_key.path)))
