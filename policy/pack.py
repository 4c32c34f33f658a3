"""A policy pack: what one agency permits, as data, parsed and validated. Reading the file is not our business."""

import hashlib
import re
import tomllib
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Sentence = Annotated[str, Field(min_length=3, max_length=2000)]


class PackError(Exception):
    """The policy pack cannot be used; the start stops here."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FormField(Part):
    """One question that a purpose requires an answer to (domain.md section 2.2)."""

    name: Code
    label: Annotated[str, Field(min_length=1, max_length=48)]
    kind: Literal["text", "narrative", "choice"]
    hint: Annotated[str, Field(max_length=150)] = ""
    options: dict[Code, Annotated[str, Field(max_length=75)]] = {}
    required: bool = True
    source: Sentence

    @model_validator(mode="after")
    def choices_have_options(self) -> Self:
        if (self.kind == "choice") != bool(self.options):
            raise ValueError(f"field {self.name!r}: a choice has options, and nothing else has")
        return self


class Purpose(Part):
    """One authorised use."""

    code: Code
    label: Annotated[str, Field(max_length=75)]
    text: Sentence  # the policy's own words, or ours where the source is paraphrased
    source: Sentence
    case_number_label: Annotated[str, Field(max_length=48)]
    case_number_hint: Annotated[str, Field(max_length=150)]
    case_number_pattern: Annotated[str, Field(max_length=200)]
    fields: tuple[FormField, ...]

    @model_validator(mode="after")
    def pattern_compiles(self) -> Self:
        try:
            re.compile(self.case_number_pattern)
        except re.error as error:
            raise ValueError(f"purpose {self.code!r}: case_number_pattern: {error}") from error
        return self


class Review(Part):
    examiners: Annotated[int, Field(ge=2, le=3)]
    disagreement: Literal["no-lead", "arbiter"]
    supervisor_decides: bool
    source: Sentence


class Candidates(Part):
    """How many people are compared (M16)."""

    default: Annotated[int, Field(ge=2, le=50)]
    source: Sentence


class Quality(Part):
    """Tiers that may be searched (M8); the others end as unsuitable."""

    accepted_tiers: tuple[Literal["good", "limited", "poor"], ...]
    source: Sentence


class Certification(Part):
    required: bool
    source: Sentence


class Pack(Part):
    name: Code
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Sentence
    source: Sentence
    attestation: Sentence
    narrative_min_chars: Annotated[int, Field(ge=0, le=500)] = 40
    purposes: tuple[Purpose, ...]
    common_fields: tuple[FormField, ...] = ()
    review: Review
    candidates: Candidates
    quality: Quality
    certification: Certification
    sha256: str = ""

    @property
    def id(self) -> str:
        """The name a search carries for life: name@version."""
        return f"{self.name}@{self.version}"

    def purpose(self, code: str) -> Purpose | None:
        return next((purpose for purpose in self.purposes if purpose.code == code), None)

    def fields(self, purpose: Purpose) -> tuple[FormField, ...]:
        """Every question the form asks for this purpose, its own first."""
        return (*purpose.fields, *self.common_fields)

    @model_validator(mode="after")
    def codes_are_unique(self) -> Self:
        codes = [purpose.code for purpose in self.purposes]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise ValueError(f"purpose codes stand twice: {', '.join(sorted(twice))}")
        return self


def parse(text: str, name: str) -> Pack:
    """The pack that `text` (TOML) says; PackError names the place and the rule where it says none."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{name}: not TOML: {error}") from error
    try:
        pack = Pack.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "pack"
        raise PackError(f"{name}: {place}: {first['msg']}") from error
    return pack.model_copy(update={"sha256": hashlib.sha256(text.encode()).hexdigest()})
