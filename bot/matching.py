"""Asks the matcher over HTTP; the only bot module that knows the matcher's words."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aiohttp
from pydantic import TypeAdapter, ValidationError

from matcher import contract
from matcher.contract import FacesFound, ModelFacts, PersonFacts, Problem, SearchResult, Wire
from policy.contradictions import Record
from policy.preparation import Operation

Answer = TypeVar("Answer", bound=Wire)


class MatcherAwayError(Exception):
    """The matcher does not answer, or not in its own words; the photograph is safe, the search will be tried again."""


class MatcherRefusedError(Exception):
    """The matcher will not do that with this photograph, and says why in a sentence for the person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)


class Matcher:
    """One session to one matcher. Times out rather than waits for ever."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}"}

    async def model(self) -> ModelFacts:
        """What the matcher searches with: asked before anything is searched (M45)."""
        return _read(ModelFacts, await self._ask("GET", "/v1/model"))

    async def faces(self, photo: bytes) -> FacesFound:
        return _read(FacesFound, await self._ask("POST", "/v1/faces", photo))

    async def search(self, photo: bytes, face: int, k: int, classes: Sequence[str]) -> SearchResult:
        """Photographs of these classes alone are searched (M42); a list that may lack somebody is none (X5)."""
        asked = [("face", str(face)), ("k", str(k)), *_classes(classes)]
        result = _read(SearchResult, await self._ask("POST", "/v1/search", photo, asked))
        if not result.certificate.complete:
            raise MatcherAwayError("a list of candidates that is not certified complete")
        return result

    async def copy(self, photo: bytes, keep: int) -> bytes:
        """A safe upright JPEG in which every face but `keep` is masked (M5)."""
        return await self._ask("POST", "/v1/copy", photo, {"keep": str(keep)})

    async def masked(self, photo: bytes, keep: int) -> bytes:
        """A lossless copy, PNG, in which every face but `keep` is masked (M5)."""
        return await self._ask("POST", "/v1/masked", photo, {"keep": str(keep)})

    async def prepared(self, photo: bytes, operation: Operation) -> bytes:
        """A lossless copy, PNG, after one operation of the closed list (M10)."""
        said = json.dumps(OPERATION.dump_python(operation, mode="json"))
        return await self._ask("POST", "/v1/prepared", photo, {"operation": said})

    async def marked(self, photo: bytes) -> bytes:
        """A safe upright JPEG with a number on each face."""
        return await self._ask("POST", "/v1/marked", photo)

    async def gallery_photo(self, photo_id: str) -> bytes:
        return await self._ask("GET", f"/v1/photos/{photo_id}")

    async def person(self, person_id: str, classes: Sequence[str]) -> PersonFacts:
        """What may be told of somebody of whom photographs of these classes are held."""
        return _read(PersonFacts, await self._ask("GET", f"/v1/people/{person_id}", None, _classes(classes)))

    async def record(self, person_id: str, classes: Sequence[str]) -> Record:
        """What is compared with a witness's description, and no more of that person."""
        facts = await self.person(person_id, classes)
        return Record(facts.sex, facts.birth_year, facts.height_cm, facts.weight_kg, facts.marks, facts.custody)

    async def _ask(
        self,
        method: str,
        path: str,
        photo: bytes | None = None,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(total=60, connect=5)
        try:
            async with self._session.request(
                method, self._url + path, data=photo, params=query, headers=self._headers, timeout=timeout
            ) as response:
                untrusted = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MatcherAwayError(type(error).__name__) from error
        if status == 200:  # noqa: PLR2004 - OK
            return untrusted
        raise _refusal(status, untrusted)


def _classes(classes: Sequence[str]) -> list[tuple[str, str]]:
    return [("class", name) for name in classes]


OF_THE_PHOTO = frozenset({404, 413, 415, 422})  # what trying again cannot change


def _refusal(status: int, untrusted: bytes) -> Exception:
    try:
        problem = Problem.model_validate_json(untrusted)
    except ValidationError:
        return MatcherAwayError(f"status {status} without a reason")
    if status in OF_THE_PHOTO:
        return MatcherRefusedError(problem)
    return MatcherAwayError(f"status {status}: {problem.rule}")


def _read(kind: type[Answer], untrusted: bytes) -> Answer:
    try:
        return kind.model_validate_json(untrusted)
    except ValidationError as error:
        raise MatcherAwayError(f"not a {kind.__name__} of contract {contract.VERSION}") from error
