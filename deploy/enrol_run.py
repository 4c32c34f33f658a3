"""One run of enrolment: decode, detect and embed on every core, write in the order of the manifest, resume anywhere."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import numpy as np

from deploy.manifest import Manifest, Row
from matcher import enrolment, images, pipeline, sweeping
from matcher.enrolment import Measured, Outcome, Rule
from matcher.faces import Faces
from matcher.gallery import Conn
from matcher.images import ImageRefusedError
from matcher.sweeping import Missing

LOOKED_UP = 500  # files asked about at a time
PICTURES = 200  # pictures held in memory at a time
UNREADABLE = "The file cannot be read: {}."
EXPUNGED = "A court had this photograph expunged. It is not enrolled again."
ANOTHER = "{} is enrolled with another sex or year of birth. Whose photograph is it?"
SAME_FILE = "The same file is {}'s, too. One of the two is somebody else."
Item = TypeVar("Item")
Step = Callable[[int, float], None]
Then = Callable[[Row, Measured], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Terms:
    """Who enrols, and under which policy pack's rule; `careful` asks for a second person though the rule does not."""

    by: str
    rule: Rule
    careful: bool = False

    @property
    def needs_approval(self) -> bool:
        return self.careful or self.rule.dual_control


@dataclass(slots=True)
class Told:
    """What a run did."""

    batch: str = ""  # opened with the first photograph
    done: int = 0
    before: int = 0
    refused: list[tuple[Row, str]] = field(default_factory=list[tuple[Row, str]])
    noted: list[tuple[Row, str]] = field(default_factory=list[tuple[Row, str]])  # enrolled all the same


async def run(
    read: Manifest, load: Callable[[], Faces], terms: Terms, workers: int, step: Step, conn: Conn
) -> Told | None:
    """Every row of the manifest is in the gallery, or refused with a sentence; `step` hears how far it is.

    None, and nothing is written, where the terms are looser than the rule in force.
    """
    rule = await enrolment.put_rule(conn, terms.rule, by=terms.by, now=datetime.now(UTC))
    if rule is None:
        return None
    told = Told()

    async def enrolled(row: Row, made: Measured) -> None:
        await _enrolled(conn, read, row, made, terms, rule, told)

    await _through(read, load, workers, step, conn, told, enrolled)
    return told


async def check(read: Manifest, load: Callable[[], Faces], workers: int, step: Step, conn: Conn) -> Told:
    """What a run would do with these photographs, each of them looked at; nothing is written."""
    told = Told()

    async def could_be(_: Row, __: Measured) -> None:
        told.done += 1

    await _through(read, load, workers, step, conn, told, could_be)
    return told


async def _through(
    read: Manifest, load: Callable[[], Faces], workers: int, step: Step, conn: Conn, told: Told, then: Then
) -> None:
    waiting = await _not_yet(conn, read.rows, told)
    began = time.monotonic()
    through = pipeline.through(load, measured, waiting, workers=workers)
    while item := await asyncio.to_thread(_next, through):
        ((row, made),) = item
        if isinstance(made, str):
            told.refused.append((row, made))
        else:
            await then(row, made)
        step(told.done + told.before + len(told.refused), told.done / max(time.monotonic() - began, 1e-6))


async def _batch(conn: Conn, read: Manifest, terms: Terms, rule: int) -> str:
    needs = terms.needs_approval
    return await enrolment.open_batch(conn, read.sha256, rule, needs_approval=needs, by=terms.by, now=datetime.now(UTC))


async def _enrolled(conn: Conn, read: Manifest, row: Row, made: Measured, terms: Terms, rule: int, told: Told) -> None:
    """In the batch; where that was approved meanwhile, in a new one, which waits for an approval of its own."""
    told.batch = told.batch or await _batch(conn, read, terms, rule)
    while True:
        match await enrolment.enrol(conn, row.enrolment, made, batch=told.batch, by=terms.by, now=datetime.now(UTC)):
            case Outcome.ENROLLED:
                told.done += 1
                return
            case Outcome.THERE_BEFORE:
                told.before += 1
                return
            case Outcome.EXPUNGED | Outcome.ANOTHER_PERSON as why:
                told.refused.append(
                    (row, EXPUNGED if why is Outcome.EXPUNGED else ANOTHER.format(row.enrolment.person))
                )
                return
            case Outcome.BATCH_CLOSED:
                told.batch = await _batch(conn, read, terms, rule)


async def _not_yet(conn: Conn, rows: Iterable[Row], told: Told) -> list[Row]:
    """Rows whose file is neither enrolled for that person nor expunged: where an interrupted run goes on."""
    out: list[Row] = []
    whose: dict[str, str] = {}  # by digest; a file that two people have is noted
    every = list(rows)
    for at in range(0, len(every), LOOKED_UP):
        part = every[at : at + LOOKED_UP]
        digests = await asyncio.to_thread(lambda part=part: [_digest(row) for row in part])
        read = [digest for digest in digests if digest]
        known, gone = await enrolment.known(conn, read), await enrolment.expunged(conn, read)
        whose |= {digest: person for person, digest in known}
        for row, digest in zip(part, digests, strict=True):
            if digest is None:
                told.refused.append((row, UNREADABLE.format("it is gone, or may not be read")))
            elif digest in gone:
                told.refused.append((row, EXPUNGED))
            elif (row.enrolment.person, digest) in known:
                told.before += 1
            else:
                out.append(row)
                if (other := whose.setdefault(digest, row.enrolment.person)) != row.enrolment.person:
                    told.noted.append((row, SAME_FILE.format(other)))
    return out


def _next(items: Iterator[Item]) -> tuple[Item, ...]:
    """The next item, alone in a tuple; nothing at the end."""
    return tuple(islice(items, 1))


def _digest(row: Row) -> str | None:
    """The file's SHA-256; None where it cannot be read any more."""
    try:
        with row.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def measured(faces: Faces, row: Row) -> Measured | str:
    """What is stored of the photograph, or the sentence that says why it cannot be enrolled."""
    try:
        photo = images.decode(row.path.read_bytes())
    except OSError as error:
        return UNREADABLE.format(error.strerror)
    except ImageRefusedError as no:
        return no.reason
    found = faces.find(photo)
    if not found:
        return "No face was found in it."
    face, *others = found
    if others:
        return f"There are {len(found)} faces in it, and an arrest photograph has one: whose is it?"
    vector = faces.vector(photo, face)
    if not np.isfinite(vector).all() or abs(float(np.linalg.norm(vector)) - 1) > 1e-3:  # noqa: PLR2004
        return "The model gave no usable vector for the face in it."
    return Measured(photo.sha256, images.as_jpeg(photo.pixels), vector, faces.model.sha256)


async def embed_missing(conn: Conn, load: Callable[[], Faces], model: str, workers: int) -> int:
    """Every photograph that may be searched has a vector of this model, from the picture that is kept: how many.

    A picture that has not one face in it gets none, which is remembered; the sweep names it.
    """
    done, at = 0, 0
    while part := await sweeping.without_vector(conn, model, at, PICTURES):
        at = part[-1].number
        through = pipeline.through(load, _again, part, workers=workers)
        while item := await asyncio.to_thread(_next, through):
            ((missing, found),) = item
            if isinstance(found, int):
                await sweeping.put_faceless(conn, missing.photo, model, found)
            else:
                await sweeping.put_vector(conn, missing.photo, model, found)
                done += 1
    return done


def _again(faces: Faces, missing: Missing) -> bytes | int:
    """The vector of the one face in it; or how many there are."""
    try:
        photo = images.decode(missing.jpeg)
    except ImageRefusedError:
        return 0
    found = faces.find(photo)
    return faces.vector(photo, found[0]).astype("<f4").tobytes() if len(found) == 1 else len(found)
