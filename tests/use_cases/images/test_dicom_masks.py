"""Segmentations laid on planes, against highdicom's reading: ours, one that others wrote, and those that must be refused."""

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from records.images import ImageSchema, Modality
from use_cases.images import load_image_codebook
from use_cases.images.dicom_masks import masks_of
from use_cases.images.dicom_planes import Plane, planes_of
from use_cases.images.dicom_stack import stacked
from use_cases.images.report import SeriesError

ROOT = Path(__file__).parents[3] / "use_cases"


def plane(uid: str, shape: tuple[int, int], position: Any = None, orientation: Any = None) -> Plane:
    return Plane(np.zeros(shape, np.float32), (1.0, 1.0), position, orientation, 1.0, uid)


@pytest.fixture(scope="module")
def schema() -> ImageSchema:
    return load_image_codebook(ROOT / "lung" / "lung_ct_phantom.yaml").image


@pytest.fixture
def liver() -> pydicom.Dataset:
    """A segmentation that pydicom ships, not written by us."""
    return shipped("liver.dcm")


def shipped(name: str) -> pydicom.Dataset:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("pydicom-data is not installed")
    return pydicom.dcmread(str(path))


def frames(file: pydicom.Dataset) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Source, position and direction of each frame."""
    shared = file.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    return [
        (
            str(one.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID),
            np.array(one.PlanePositionSequence[0].ImagePositionPatient, float), np.array(shared, float),
        )
        for one in file.PerFrameFunctionalGroupsSequence
    ]  # fmt: skip


def peer(file: pydicom.Dataset) -> dict[str, np.ndarray]:
    """highdicom's reading of the same frames."""
    read = highdicom.seg.Segmentation.from_dataset(file)
    uids = [uid for uid, *_ in frames(file)]
    found = read.get_pixels_by_source_instance(uids, combine_segments=True, ignore_spatial_locations=True)
    return dict(zip(uids, found, strict=True))


@pytest.mark.parametrize("by", ["reference", "place"])
def test_a_foreign_segmentation_is_read_as_highdicom_reads_it(
    liver: pydicom.Dataset, schema: ImageSchema, by: str
) -> None:
    expected, shape = peer(liver), (int(liver.Rows), int(liver.Columns))
    planes = [plane(uid, shape, position, turn) for uid, position, turn in frames(liver)]
    if by == "place":
        for one in liver.PerFrameFunctionalGroupsSequence:
            del one.DerivationImageSequence
    label = liver.SegmentSequence[0].SegmentLabel
    found = masks_of([liver], planes, schema.model_copy(update={"mask": {0: "none", 3: label.upper()}}))
    assert {planes[place].uid for place in found} == expected.keys()
    for place, mask in found.items():
        assert (mask == 3 * (expected[planes[place].uid] > 0)).all()
    assert any(mask.any() for mask in found.values())


def test_segments_that_the_codebook_does_not_know_are_refused(liver: pydicom.Dataset, schema: ImageSchema) -> None:
    with pytest.raises(SeriesError, match="segments named nodule"):
        masks_of([liver], [plane(uid, (1, 1)) for uid, *_ in frames(liver)], schema)


def test_a_segmentation_with_fewer_frames_than_it_describes_is_refused(schema: ImageSchema) -> None:
    file = shipped("liver_1frame.dcm")
    with pytest.raises(SeriesError, match="each of its frames"):
        masks_of([file], [plane("1.2", (1, 1))], schema)


def test_masks_of_another_size_are_refused(liver: pydicom.Dataset, schema: ImageSchema) -> None:
    named = schema.model_copy(update={"mask": {0: "none", 1: liver.SegmentSequence[0].SegmentLabel}})
    with pytest.raises(SeriesError, match="images' size"):
        masks_of([liver], [plane(uid, (8, 8)) for uid, *_ in frames(liver)], named)


def test_overlapping_segments_and_label_maps(schema: ImageSchema) -> None:
    named = schema.model_copy(update={"mask": {0: "none", 1: "nodule", 2: "lobe"}})
    shown = np.zeros((2, 8, 8), np.uint8)
    shown[0, 2:5, 2:5], shown[1, 4:7, 4:7] = 1, 1
    file = binary(shown, ("Nodule", "Lobe"))
    with pytest.raises(SeriesError, match="do not overlap"):
        masks_of([file], [plane("1.2", (8, 8))], named)
    apart = shown.copy()
    apart[1, 4, 4] = 0
    found = masks_of([binary(apart, ("Nodule", "Lobe"))], [plane("1.2", (8, 8)), plane("1.3", (8, 8))], named)
    assert set(found) == {0}
    assert (found[0] == apart[0] + 2 * apart[1]).all()
    labelled = binary(apart, ("Nodule", "Lobe"))
    labelled.SegmentationType, labelled.NumberOfFrames = "LABELMAP", 1
    labelled.BitsAllocated = labelled.BitsStored = 8
    labelled.HighBit = 7
    labelled.PixelData = (apart[0] + 2 * apart[1]).tobytes()
    labelled.PerFrameFunctionalGroupsSequence = [labelled.PerFrameFunctionalGroupsSequence[0]]
    assert (masks_of([labelled], [plane("1.2", (8, 8))], named)[0] == found[0]).all()


def enhanced(schema: ImageSchema) -> tuple[pydicom.Dataset, list[Plane]]:
    """An enhanced CT of two frames that pydicom ships, its values said to be HU, and its planes."""
    file = shipped("eCT_Supplemental.dcm")
    file.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleType = "HU"
    return file, planes_of(file, schema)


def drawn_on_frames(image: pydicom.Dataset, shape: tuple[int, int]) -> tuple[np.ndarray, pydicom.Dataset]:
    """highdicom's segmentation of an enhanced image: nodule on its first frame, lobe at the same pixels of its second."""
    shown = np.zeros((2, *shape), np.uint8)
    shown[0, 100:140, 100:140], shown[1, 120:160, 120:160] = 1, 2
    code = highdicom.sr.CodedConcept("M-01000", "SRT", "Morphologically Altered Structure")
    segments = [
        highdicom.seg.SegmentDescription(number, label, code, code, "MANUAL")
        for number, label in enumerate(("nodule", "lobe"), start=1)
    ]
    made = highdicom.seg.Segmentation(
        [image], shown, "BINARY", segments, generate_uid(), 1, generate_uid(), 1, "m", "m", "1", "1",
    )  # fmt: skip
    return shown, made


@pytest.mark.parametrize("by", ["frame number", "place", "all frames and place"])
def test_a_mask_of_an_enhanced_image_stays_on_its_frame(schema: ImageSchema, by: str) -> None:
    named = schema.model_copy(update={"mask": {0: "none", 1: "nodule", 2: "lobe"}})
    image, planes = enhanced(schema)
    shown, file = drawn_on_frames(image, planes[0].pixels.shape)
    for frame in file.PerFrameFunctionalGroupsSequence:
        if by == "place":
            del frame.DerivationImageSequence
        elif by == "all frames and place":
            del frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        else:
            del frame.PlanePositionSequence
    found = masks_of([file], planes, named)
    assert (np.stack([found[0], found[1]]) == shown).all()
    heights = [plane.position[2] for plane in planes if plane.position is not None]
    masks = stacked(planes[::-1], Modality.CT, {1 - place: mask for place, mask in found.items()})[2]
    assert masks is not None
    assert [np.unique(masks[i]).tolist() for i in np.argsort(heights)] == [[0, 1], [0, 2]]


def test_a_frame_that_names_several_images_lies_in_its_place_alone(schema: ImageSchema) -> None:
    named = schema.model_copy(update={"mask": {0: "none", 1: "nodule"}})
    shown, turn = np.ones((1, 8, 8), np.uint8), np.array([1, 0, 0, 0, 1, 0], float)
    planes = [plane(f"1.{i}", (8, 8), np.array([0, 0, i], float), turn) for i in (2, 3, 4)]
    file = binary(shown, ("Nodule",))
    frame = file.PerFrameFunctionalGroupsSequence[0]
    second = pydicom.Dataset()
    second.ReferencedSOPInstanceUID = "1.3"
    frame.DerivationImageSequence[0].SourceImageSequence.append(second)
    with pytest.raises(SeriesError, match="on which image"):
        masks_of([file], planes, named)
    place, direction = pydicom.Dataset(), pydicom.Dataset()
    place.ImagePositionPatient, direction.ImageOrientationPatient = [0, 0, 3], turn.tolist()
    frame.PlanePositionSequence, frame.PlaneOrientationSequence = [place], [direction]
    assert set(masks_of([file], planes, named)) == {1}


def binary(shown: np.ndarray, labels: tuple[str, ...]) -> pydicom.Dataset:
    """A segmentation of one image with a frame for each segment."""
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SegmentationType, file.SamplesPerPixel, file.PhotometricInterpretation = "BINARY", 1, "MONOCHROME2"
    file.NumberOfFrames, file.Rows, file.Columns = shown.shape
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 1, 1, 0, 0
    file.PixelData = np.packbits(shown.ravel(), bitorder="little").tobytes()
    file.SegmentSequence, file.PerFrameFunctionalGroupsSequence = [], []
    for number, label in enumerate(labels, start=1):
        segment, frame, source, derived, shows = (pydicom.Dataset() for _ in range(5))
        segment.SegmentNumber, segment.SegmentLabel = number, label
        file.SegmentSequence.append(segment)
        source.ReferencedSOPInstanceUID, shows.ReferencedSegmentNumber = "1.2", number
        derived.SourceImageSequence = [source]
        frame.DerivationImageSequence, frame.SegmentIdentificationSequence = [derived], [shows]
        file.PerFrameFunctionalGroupsSequence.append(frame)
    return file
