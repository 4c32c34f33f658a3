"""The matcher over HTTP. Bearer secret on everything but /healthz; errors are `Problem`, a sentence each."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import numpy as np
from aiohttp import web

from matcher import images, ranking
from matcher.contract import Certificate, FacesFound, PhotoFacts, Problem, SearchResult, Wire
from matcher.faces import Faces, Found, Pixels
from matcher.gallery import Pool, Snapshot, person, picture
from matcher.images import ImageRefusedError, Photo

K_MIN, K_MAX, K_DEFAULT = 2, 50, 20  # M16
NEIGHBOURS = 4  # photographs looked at per person asked for, so that people with several do not crowd others out
T = TypeVar("T")
STATUS_OF = {"too-large": 413, "format": 415}


class RefusedError(Exception):
    """The request is not done, and says why."""

    def __init__(self, status: int, rule: str, reason: str) -> None:
        super().__init__(rule)
        self.status = status
        self.problem = Problem(rule=rule, reason=reason)


class Service:
    """The routes, over one loaded model and the gallery's current snapshot."""

    def __init__(self, faces: Faces, pool: Pool, secret: str) -> None:
        self._faces = faces
        self._pool = pool
        self._secret = secret.encode()
        self._worker = ThreadPoolExecutor(1)  # onnxruntime uses its own threads within
        self.snapshot: Snapshot | None = None

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
                web.get("/v1/photos/{photo}", self.photo),
                web.get("/v1/people/{person}", self.person),
                web.get("/v1/gallery", self.gallery),
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
        except ImageRefusedError as no:
            return _json(Problem(rule=no.rule, reason=no.reason), STATUS_OF.get(no.rule, 422))
        except web.HTTPRequestEntityTooLarge:
            return _json(Problem(rule="too-large", reason="The file is larger than 20 MB. Post a smaller copy."), 413)
        except web.HTTPException as no:
            return _json(Problem(rule="not-here", reason=f"There is nothing to do here ({no.status})."), no.status)

    def _check_secret(self, request: web.Request) -> None:
        if request.path == "/healthz":
            return
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not self._secret or not hmac.compare_digest(given, self._secret):
            raise RefusedError(401, "no-secret", "The matcher answers only those who know its secret.")

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *args)

    # --- routes -----------------------------------------------------------------------------------------------------

    async def healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(self, _: web.Request) -> web.Response:
        snapshot = self._current()
        return web.json_response({"ready": True, "gallery": snapshot.facts.model_dump(mode="json")})

    async def find_faces(self, request: web.Request) -> web.Response:
        photo = await self._in_thread(images.decode, await request.read())
        found = await self._in_thread(self._faces.find, photo)
        return _json(FacesFound(photo=_facts(photo), faces=tuple(f.face for f in found), model=self._faces.model))

    async def search(self, request: web.Request) -> web.Response:
        snapshot = self._current()
        k = _number(request, "k", K_DEFAULT, K_MIN, K_MAX)
        asked = _number(request, "face", None, 0, 1000)
        untrusted = await request.read()
        return _json(await self._in_thread(self._search, snapshot, untrusted, asked, k))

    def _search(self, snapshot: Snapshot, untrusted: bytes, asked: int | None, k: int) -> SearchResult:
        times = [time.perf_counter()]
        photo = images.decode(untrusted)
        times.append(time.perf_counter())
        face = _chosen(self._faces.find(photo), asked)
        times.append(time.perf_counter())
        probe = self._faces.vector(photo, face)
        times.append(time.perf_counter())
        near = [(snapshot.photo_of[key], score) for key, score in snapshot.index.nearest(probe, k * NEIGHBOURS)]
        found = ranking.candidates(near, snapshot.person_of, snapshot.photos, k)
        times.append(time.perf_counter())
        stages = ("decode", "detect", "embed", "search")
        return SearchResult(
            photo=_facts(photo),
            face=face.face,
            k=k,
            candidates=found,
            gallery=snapshot.facts,
            model=self._faces.model,
            certificate=Certificate(
                searched=snapshot.facts.photos,
                error_bound=0.0,  # float32, every photograph compared
                rescored=snapshot.facts.photos,
                kth_score=found[-1].score if found else -1.0,
                complete=True,
            ),
            millis={name: (b - a) * 1000 for name, a, b in zip(stages, times, times[1:], strict=False)},
        )

    async def copy(self, request: web.Request) -> web.Response:
        keep = _number(request, "keep", None, 0, 1000)
        return _jpeg(await self._in_thread(self._copy, await request.read(), keep))

    def _copy(self, untrusted: bytes, keep: int | None) -> bytes:
        photo = images.decode(untrusted)
        pixels = photo.pixels
        if keep is not None:
            found = self._faces.find(photo)
            kept = _chosen(found, keep)
            pixels = masked(pixels, [other for other in found if other is not kept])
        return images.as_jpeg(pixels)

    async def marked(self, request: web.Request) -> web.Response:
        return _jpeg(await self._in_thread(self._marked, await request.read()))

    def _marked(self, untrusted: bytes) -> bytes:
        photo = images.decode(untrusted)
        return images.as_jpeg(numbered(photo.pixels, self._faces.find(photo)))

    async def photo(self, request: web.Request) -> web.Response:
        async with self._pool.acquire() as conn:
            jpeg = await picture(conn, request.match_info["photo"])
        if jpeg is None:
            raise RefusedError(404, "not-shown", "There is no such photograph, or it may no longer be shown.")
        return _jpeg(jpeg)

    async def person(self, request: web.Request) -> web.Response:
        async with self._pool.acquire() as conn:
            facts = await person(conn, request.match_info["person"])
        if facts is None:
            raise RefusedError(404, "not-shown", "There is no such person, or nothing about them may be shown.")
        return _json(facts)

    async def gallery(self, _: web.Request) -> web.Response:
        return _json(self._current().facts)

    def _current(self) -> Snapshot:
        if self.snapshot is None:
            raise RefusedError(503, "not-ready", "The gallery is being loaded. Ask again in a moment.")
        return self.snapshot


def _json(answer: Wire, status: int = 200) -> web.Response:
    return web.Response(text=answer.model_dump_json(), content_type="application/json", status=status)


def _jpeg(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _facts(photo: Photo) -> PhotoFacts:
    return PhotoFacts(sha256=photo.sha256, format=photo.format, width=photo.width, height=photo.height)


def _number(request: web.Request, name: str, default: int | None, least: int, most: int) -> int:
    """An integer of the query string within its limits; `default` where it is not given."""
    untrusted = request.query.get(name)
    if untrusted is None:
        return default  # pyright: ignore[reportReturnType] - None stands for "not said"
    if not untrusted.isascii() or not untrusted.isdigit() or not least <= int(untrusted[:9]) <= most:
        raise RefusedError(422, f"bad-{name}", f"{name} has to be a number from {least} to {most}.")
    return int(untrusted)


def _chosen(found: tuple[Found, ...], asked: int | None) -> Found:
    if not found:
        raise RefusedError(422, "no-face", "No face was found in the photograph. Nothing was searched.")
    if asked is None and len(found) > 1:
        raise RefusedError(422, "several-faces", "There are several faces in the photograph. Say which one is meant.")
    if (asked or 0) >= len(found):
        raise RefusedError(422, "names-face", "There is no such face in the photograph.")
    return found[asked or 0]


def masked(pixels: Pixels, others: list[Found]) -> Pixels:
    """A copy in which the other faces cannot be seen (M5)."""
    out = pixels.copy()
    for other in others:
        left, top, right, bottom = _corners(other, pixels, margin=0.15)
        out[top:bottom, left:right] = 128
    return out


def numbered(pixels: Pixels, found: tuple[Found, ...]) -> Pixels:
    """A copy with a frame and a number, from 1, on each face."""
    out = np.ascontiguousarray(pixels.copy())
    thick = max(2, pixels.shape[1] // 300)
    for at, one in enumerate(found, start=1):
        left, top, right, bottom = _corners(one, pixels, margin=0.05)
        cv2.rectangle(out, (left, top), (right, bottom), (255, 210, 0), thick)
        size = max(0.6, (right - left) / 90)
        cv2.putText(
            out, str(at), (left + thick * 2, bottom - thick * 3), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 210, 0), thick
        )
    return out


def _corners(one: Found, pixels: Pixels, margin: float) -> tuple[int, int, int, int]:
    box, (height, width) = one.face.box, pixels.shape[:2]
    dx, dy = (box.right - box.left) * margin, (box.bottom - box.top) * margin
    left, right = max(0, int(box.left - dx)), min(width, int(box.right + dx))
    return left, max(0, int(box.top - dy)), right, min(height, int(box.bottom + dy))
