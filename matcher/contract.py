"""What crosses the wire between the bot and the matcher, both ways: the only matcher module the bot may import.

The matcher knows photographs, people of the gallery and scores. It never hears of a case, a requester or an examiner.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = "1"

CLASS = r"[a-z][a-z0-9-]{0,39}"  # the name of a class of photographs: the legal basis on which they are held
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Wire(BaseModel):
    """A message: frozen, and an unknown key is an error, so that two versions never half understand each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(Wire):
    """Pixels of the upright photograph, left and top inclusive."""

    left: float
    top: float
    right: float
    bottom: float


class Quality(Wire):
    """Measures in the terms of ISO/IEC 29794-5, kept as a vector: one number would hide why.

    What they are good enough for is no business of the matcher's: the policy pack's limits make a tier of them (M8).
    """

    inter_eye_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    sharpness: float
    exposure: float
    contrast: float
    detection_score: float
    occlusion: float  # hints, more is worse: share of the face unlike its own skin
    compression: float  # grey levels that neighbours differ more across JPEG's grid than within it
    recapture: float  # powers of ten by which a single frequency stands out, as a screen's raster does

    def named(self) -> dict[str, float]:
        """By the names that policy packs use; angles without their side."""
        return {
            "inter-eye-distance": self.inter_eye_px,
            "detection-score": self.detection_score,
            "yaw": abs(self.yaw_deg),
            "pitch": abs(self.pitch_deg),
            "roll": abs(self.roll_deg),
            "sharpness": self.sharpness,
            "exposure": self.exposure,
            "contrast": self.contrast,
            "occlusion": self.occlusion,
            "compression": self.compression,
            "recapture": self.recapture,
        }


class Face(Wire):
    index: int  # left to right, from 0: stable for the same bytes
    box: Box
    landmarks: tuple[tuple[float, float], ...]  # five: eyes, nose tip, mouth corners
    quality: Quality


class PhotoFacts(Wire):
    sha256: Sha256  # of the bytes as received
    format: Literal["jpeg", "png", "webp", "heic"]
    width: int  # upright, pixels
    height: int


class ModelFacts(Wire):
    """Travels with every result, so that a court can say with what it was made (M14, M45)."""

    pack: str
    sha256: Sha256  # over the pack's files, sorted by name
    dimension: int
    licence: str
    thresholds: dict[str, float] = {}  # false accept rate -> cosine
    evaluation: dict[str, float] = {}
    preprocessing: str = VERSION
    provider: str = "CPUExecutionProvider"


class FacesFound(Wire):
    """Answer to POST /v1/faces."""

    photo: PhotoFacts
    faces: tuple[Face, ...]
    model: ModelFacts


class GalleryPhoto(Wire):
    photo_id: str
    taken_on: date
    agency: str
    arrest_id: str
    legal_basis: str


class Candidate(Wire):
    """One person of the gallery, with every photograph that may lawfully be shown (M15)."""

    rank: int  # from 1; never shown to examiners
    person_id: str
    score: float  # cosine of the best photograph; never shown to examiners
    photos: tuple[GalleryPhoto, ...]  # best first


class GalleryFacts(Wire):
    photos: int  # eligible photographs searched
    people: int
    root: Sha256  # Merkle root of the snapshot searched
    unmeasured: int = 0  # that may be searched and cannot: nobody measured them with this model; then nothing is
    faceless: int = 0  # that may be searched and cannot: this model finds not one face in them


class Certificate(Wire):
    """Why nothing outside the list can belong to it: recall proven per search, not estimated (X5)."""

    searched: int
    error_bound: float
    rescored: int
    kth_score: float
    faceless: int = 0  # photographs that no search with this model can find, besides those searched
    complete: bool


class SearchResult(Wire):
    """Answer to POST /v1/search."""

    photo: PhotoFacts
    face: Face
    k: int
    classes: tuple[str, ...]  # of photographs, the only ones that were searched (M42)
    candidates: tuple[Candidate, ...]
    gallery: GalleryFacts
    model: ModelFacts
    certificate: Certificate
    look_alikes: tuple[float, ...] = ()  # for each candidate; none where too few were compared; supervisors only (X6)
    millis: dict[str, float] = {}  # time by stage


class PersonFacts(Wire):
    """Answer to GET /v1/people/{person_id}: pedigree, opened only after both opinions are locked (M22)."""

    person_id: str
    name: str
    sex: str | None = None
    birth_year: int | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    marks: str | None = None
    custody: tuple[tuple[date, date | None], ...] = ()
    photos: tuple[GalleryPhoto, ...] = ()


class CropTo(Wire):
    """Pixels of the upright photograph, left and top inclusive."""

    op: Literal["crop"]
    left: Annotated[int, Field(ge=0)]
    top: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class RotateBy(Wire):
    """Counter-clockwise."""

    op: Literal["rotate"]
    degrees: Annotated[float, Field(ge=-180, le=180)]


class ScaleBy(Wire):
    op: Literal["scale"]
    factor: Annotated[float, Field(ge=0.25, le=4)]


class BrightnessBy(Wire):
    op: Literal["brightness"]
    levels: Annotated[int, Field(ge=-128, le=128)]


class ContrastBy(Wire):
    op: Literal["contrast"]
    factor: Annotated[float, Field(ge=0.25, le=4)]


class GammaBy(Wire):
    op: Literal["gamma"]
    gamma: Annotated[float, Field(ge=0.25, le=4)]


class GreyscaleIt(Wire):
    op: Literal["greyscale"]


# What POST /v1/prepared does to a copy: these and nothing else (M10).
Operation = CropTo | RotateBy | ScaleBy | BrightnessBy | ContrastBy | GammaBy | GreyscaleIt
AnyOperation = Annotated[Operation, Field(discriminator="op")]


class Problem(Wire):
    """Every answer that is not a success. `rule` is stable for ever; `reason` is a sentence for the person."""

    rule: str
    reason: str
