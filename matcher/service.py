"""The matcher over HTTP. Bearer secret on everything but /healthz; errors are `Problem`, a sentence each."""

import asyncio
import hmac
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import ClientPayloadError, http_exceptions, web
from pydantic import TypeAdapter, ValidationError

from matcher import drawing, gallery, images, openapi, preparation
from matcher.classes import ARREST, Allowed
from matcher.contract import (
    CLASS,
    AnyOperation,
    FacesFound,
    GalleryFacts,
    Operation,
    PhotoFacts,
    Problem,
    SearchResult,
    Wire,
)
from matcher.detection import FACES_AT_MOST
from matcher.faces import Faces, Found, Pixels
from matcher.fresh import Vector
from matcher.gallery import Conn, Pool
from matcher.images import ImageRefusedError, Photo
from matcher.index import Contents
from matcher.search import search
from matcher.snapshot import SnapshotError

K_MIN, K_MAX, K_DEFAULT = 2, 50, 20  # M16
CLASSES_AT_MOST = 20
T = TypeVar("T")
DAMAGED = "The gallery's copy on disk is damaged and is being read anew. Nothing was searched; ask again in a moment."
UNMEASURED = (
    "{} of the gallery's photographs were not measured with this model pack, and a search would pass over the people "
    "on them. Nothing is searched until they are: leadgate gallery embed. Or is it not the pack that the gallery was "
    "enrolled with?"
)
NOT_COMPLETE = "The search could not be certified complete, so nothing of it is told. Ask again in a moment."
BROKEN = "The matcher met a fault of its own, which is in its log. Nothing was searched; ask again in a moment."
BODY_PROBLEMS = (web.RequestPayloadError, ClientPayloadError, http_exceptions.HttpProcessingError)
STATUS_OF = {"too-large": 413, "format": 415}
DECODING = 2  # photographs at once, each in a process of its own
DIGITS = 3

log = structlog.get_logger()


class RefusedError(Exception):
    """The request is not done, and says why."""

    def __init__(self, status: int, rule: str, reason: str) -> None:
        super().__init__(rule)
        self.status = status
        self.problem = Problem(rule=rule, reason=reason)


@dataclass(frozen=True, slots=True)
class Serving:
    """What is searched at one moment, and what is said of it: a search's root is that of what it searched."""

    index: Contents
    facts: GalleryFacts


class Service:
    """The routes, over one loaded model and the gallery as it is now."""

    def __init__(self, faces: Faces, pool: Pool, secret: str) -> None:
        self._faces = faces
        self._pool = pool
        self._secret = secret.encode()
        self._worker = ThreadPoolExecutor(1)  # onnxruntime uses its own threads within
        self._decoding = ThreadPoolExecutor(DECODING)  # who waits for a slow picture does not keep the model waiting
        self.now: Serving | None = None
        self.checked = False  # whether the canaries were asked since the start
        self.out_of_service: str | None = None  # why, when a canary gave a wrong answer

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._answer], client_max_size=images.MAX_BYTES + 1024)
        app.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
                web.post("/v1/faces", self.find_faces),
                web.post("/v1/search", self.search),
                web.post("/v1/copy", self.copy),
                web.post("/v1/marked", self.marked),
                web.post("/v1/masked", self.masked),
                web.post("/v1/prepared", self.prepared),
                web.get("/v1/photos/{photo}", self.photo),
                web.get("/v1/people/{person}", self.person),
                web.get("/v1/gallery", self.gallery),
                web.get("/v1/model", self.model),
                web.get("/openapi.json", self.openapi),
            ]
        )
        return app

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            self._check_secret(request)
            return await handler(request)
        except RefusedError as no:
            return _json(no.problem, no.status)
        except SnapshotError:  # whoever keeps the index in step finds it, too, and reads the gallery anew
            return _json(Problem(rule="not-ready", reason=DAMAGED), 503)
        except ImageRefusedError as no:
            return _json(Problem(rule=no.rule, reason=no.reason), STATUS_OF.get(no.rule, 422))
        except web.HTTPRequestEntityTooLarge:
            return _json(Problem(rule="too-large", reason="The file is larger than 20 MB. Post a smaller copy."), 413)
        except web.HTTPException as no:
            said = _json(Problem(rule="not-here", reason=f"There is nothing to do here ({no.status})."), no.status)
            said.headers.update({name: no.headers[name] for name in ("Allow",) if name in no.headers})
            return said
        except BODY_PROBLEMS:
            text = "What was sent is not encoded as it says it is. Send the photograph's bytes as they are."
            return _json(Problem(rule="bad-body", reason=text), 400)
        except Exception:
            log.exception("request.fault", path=request.path)
            return _json(Problem(rule="fault", reason=BROKEN), 500)

    def _check_secret(self, request: web.Request) -> None:
        if request.path == "/healthz":
            return
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not self._secret or not hmac.compare_digest(given, self._secret):
            raise RefusedError(401, "no-secret", "The matcher answers only those who know its secret.")

    async def in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *args)

    async def _photo(self, request: web.Request) -> Photo:
        return await asyncio.get_running_loop().run_in_executor(self._decoding, images.decode, await request.read())

    # --- routes -----------------------------------------------------------------------------------------------------

    async def healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(self, _: web.Request) -> web.Response:
        facts = self._current().facts
        return web.json_response({"ready": True, "gallery": facts.model_dump(mode="json")})

    async def openapi(self, _: web.Request) -> web.Response:
        return web.json_response(openapi.document())

    async def find_faces(self, request: web.Request) -> web.Response:
        photo = await self._photo(request)
        found = await self.in_thread(self._faces.find, photo)
        return _json(FacesFound(photo=_facts(photo), faces=tuple(f.face for f in found), model=self._faces.model))

    async def search(self, request: web.Request) -> web.Response:
        self._current()
        k = _number(request, "k", K_MIN, K_MAX) or K_DEFAULT
        asked, allowed = _number(request, "face", 0, FACES_AT_MOST), _allowed(request)
        began = time.perf_counter()
        photo = await self._photo(request)
        decoding = time.perf_counter() - began
        face, probe, times = await self.in_thread(self._probe, photo, asked)
        async with self._connection() as conn:
            now, ranking = self._current(), time.perf_counter()
            found = await search(conn, now.index, now.facts, probe, k, allowed)
        ranking = time.perf_counter() - ranking - found.scanning
        if not found.certificate.complete:
            raise RefusedError(503, "not-complete", NOT_COMPLETE)
        times = {"decode": decoding, **times, "scan": found.scanning, "rank": ranking}
        result = SearchResult(
            photo=_facts(photo),
            face=face.face,
            k=k,
            classes=tuple(sorted(allowed)),
            candidates=found.candidates,
            gallery=now.facts,
            model=self._faces.model,
            certificate=found.certificate,
            look_alikes=found.look_alikes,
            millis={stage: seconds * 1000 for stage, seconds in times.items()},
        )
        return _json(result)

    def _probe(self, photo: Photo, asked: int | None) -> tuple[Found, Vector, dict[str, float]]:
        began = time.perf_counter()
        face = _chosen(self._faces.find(photo), asked)
        detected = time.perf_counter()
        probe = self._faces.vector(photo, face)
        return face, probe, {"detect": detected - began, "embed": time.perf_counter() - detected}

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Conn]:
        try:
            async with self._pool.acquire() as conn:
                yield conn
        except gallery.AWAY as error:
            text = "The gallery's database does not answer. Nothing was searched; ask again in a moment."
            raise RefusedError(503, "database-away", text) from error

    async def copy(self, request: web.Request) -> web.Response:
        keep, crop = _number(request, "keep", 0, FACES_AT_MOST), _number(request, "crop", 0, 1)
        photo = await self._photo(request)
        return _jpeg(await self.in_thread(self._copy, photo, keep, bool(crop)))

    def _copy(self, photo: Photo, keep: int | None, crop: bool) -> bytes:  # noqa: FBT001
        if keep is None and not crop:
            return images.as_jpeg(photo.pixels)
        pixels, kept = self._alone(photo, keep)
        return images.as_jpeg(drawing.cropped(pixels, kept) if crop else pixels)

    def _alone(self, photo: Photo, keep: int | None) -> tuple[Pixels, Found]:
        """The photograph with every face but one masked (M5), and that one."""
        found = self._faces.find(photo)
        kept = _chosen(found, keep)
        return drawing.masked(photo.pixels, [other for other in found if other is not kept], kept), kept

    async def marked(self, request: web.Request) -> web.Response:
        return _jpeg(await self.in_thread(self._marked, await self._photo(request)))

    def _marked(self, photo: Photo) -> bytes:
        return images.as_jpeg(drawing.numbered(photo.pixels, self._faces.find(photo)))

    async def masked(self, request: web.Request) -> web.Response:
        """A lossless copy in which every face but one cannot be seen: what a probe's preparation begins with."""
        keep = _number(request, "keep", 0, FACES_AT_MOST)
        return _png(await self.in_thread(self._masked, await self._photo(request), keep))

    def _masked(self, photo: Photo, keep: int | None) -> bytes:
        return preparation.lossless(self._alone(photo, keep)[0])

    async def prepared(self, request: web.Request) -> web.Response:
        """A lossless copy after one operation of a closed list (M10)."""
        operation = _operation(request.query.get("operation", ""))
        photo = await self._photo(request)
        return _png(await self.in_thread(preparation.prepared, photo.pixels, operation))

    async def photo(self, request: web.Request) -> web.Response:
        async with self._connection() as conn:
            jpeg = await gallery.picture(conn, _name(request, "photo"))
        if jpeg is None:
            raise RefusedError(404, "not-shown", "There is no such photograph, or it may no longer be shown.")
        return _jpeg(jpeg)

    async def person(self, request: web.Request) -> web.Response:
        async with self._connection() as conn:
            facts = await gallery.person(conn, _name(request, "person"), _allowed(request))
        if facts is None:
            raise RefusedError(404, "not-shown", "There is no such person, or nothing about them may be shown.")
        return _json(facts)

    async def gallery(self, _: web.Request) -> web.Response:
        return _json(self._current().facts)

    async def model(self, _: web.Request) -> web.Response:
        return _json(self._faces.model)

    def _current(self) -> Serving:
        if self.out_of_service:
            raise RefusedError(503, "out-of-service", self.out_of_service)
        if self.now and self.now.facts.unmeasured:
            raise RefusedError(503, "out-of-service", UNMEASURED.format(self.now.facts.unmeasured))
        if self.now is None or not self.checked:
            raise RefusedError(503, "not-ready", "The gallery is being loaded and checked. Ask again in a moment.")
        return self.now


def _json(answer: Wire, status: int = 200) -> web.Response:
    return web.Response(text=answer.model_dump_json(), content_type="application/json", status=status)


def _jpeg(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _png(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/png", headers={"Cache-Control": "no-store"})


OPERATION: TypeAdapter[Operation] = TypeAdapter(AnyOperation)


def _operation(untrusted: str) -> Operation:
    try:
        return OPERATION.validate_json(untrusted)
    except ValidationError:
        raise RefusedError(422, "bad-operation", "That is not one of the things that may be done to a copy.") from None


def _facts(photo: Photo) -> PhotoFacts:
    return PhotoFacts(sha256=photo.sha256, format=photo.format, width=photo.width, height=photo.height)


def _number(request: web.Request, name: str, least: int, most: int) -> int | None:
    """An integer of the query string within its limits; None where it is not said."""
    untrusted = request.query.get(name)
    if untrusted is None:
        return None
    if re.fullmatch(rf"[0-9]{{1,{DIGITS}}}", untrusted) and least <= (number := int(untrusted)) <= most:
        return number
    raise RefusedError(422, f"bad-{name}", f"{name} has to be a number from {least} to {most}.")


def _allowed(request: web.Request) -> Allowed:
    """The classes of photographs that may be reached; arrest photographs alone where none is named (M42)."""
    untrusted = request.query.getall("class", [ARREST])
    if len(untrusted) > CLASSES_AT_MOST or not all(re.fullmatch(CLASS, one) for one in untrusted):
        raise RefusedError(422, "bad-class", "class has to be the name of a class of photographs, such as arrest.")
    return frozenset(untrusted)


def _name(request: web.Request, part: str) -> str:
    """A name out of the path; Postgres knows no text with a zero byte in it."""
    untrusted = request.match_info[part]
    if "\0" in untrusted:
        raise RefusedError(404, "not-shown", "There is nothing of that name.")
    return untrusted


def _chosen(found: tuple[Found, ...], asked: int | None) -> Found:
    if not found:
        raise RefusedError(422, "no-face", "No face was found in the photograph. Nothing was searched.")
    if asked is None and len(found) > 1:
        raise RefusedError(422, "several-faces", "There are several faces in the photograph. Say which one is meant.")
    if (asked or 0) >= len(found):
        raise RefusedError(422, "names-face", "There is no such face in the photograph.")
    return found[asked or 0]
