"""The matcher against its own OpenAPI document: no 5xx, and no answer that the document does not know."""

import asyncio
import json
import subprocess
import sys

import pytest
import requests
import schemathesis

from matcher import openapi
from matcher.contract import PersonFacts
from tests.matcher.conftest import CAST, PEOPLE, SECRET, cast, probe_of


def test_the_document_names_every_route(faces):
    from matcher.service import Service

    service = Service(faces, None, "x")
    routes = {(r.resource.canonical, r.method.lower()) for r in service.app().router.routes() if r.method != "HEAD"}
    said = {(path, method) for path, item in openapi.document()["paths"].items() for method in item}
    assert said == routes


CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "ignored_auth", "unsupported_method",
)  # fmt: skip


async def named(matcher) -> dict:
    """The document, with a person and a photograph that there are as examples: so that there is something to answer."""
    document = openapi.document()
    facts = PersonFacts.model_validate_json((await matcher.ask("GET", f"/v1/people/{PEOPLE[0]}"))[1])
    for path, name in (("/v1/people/{person}", PEOPLE[0]), ("/v1/photos/{photo}", facts.photos[0].photo_id)):
        document["paths"][path]["get"]["parameters"][0]["example"] = name
    return document


@pytest.mark.parametrize("filled", [False, True], ids=["empty gallery", "people enrolled"])
async def test_nothing_that_is_asked_gives_an_undocumented_answer(matcher, tmp_path, enrol, small_manifest, filled):
    document = openapi.document()
    if filled:
        told = await enrol(small_manifest)
        await matcher.until(200, photos=told.done)
        document = await named(matcher)
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    argv = [
        sys.executable, "-m", "schemathesis.cli", "run", str(file), "--url", matcher.url,
        "--header", f"Authorization: Bearer {SECRET}", "--max-examples", "25", "--seed", "1",
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all",
    ]  # fmt: skip
    ran = await asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=280
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    count = sum(len(item) for item in document["paths"].values())
    assert f"Selected: {count}/{count}" in ran.stdout
    assert f"Tested: {count}" in ran.stdout


async def test_every_answer_to_a_photograph_is_the_documented_one(matcher, enrol, small_manifest):
    """What fuzzing seldom reaches: faces in the photograph, people in the gallery, one face of several."""
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    schema = schemathesis.openapi.from_dict(openapi.document())
    one = probe_of(PEOPLE[0]).read_bytes()
    several = next(CAST / row["probe"] for row in cast("probes") if row["faces"] > 1).read_bytes()
    asked = [
        ("/v1/search", {"k": 3}, one, 200), ("/v1/search", {}, several, 422), ("/v1/search", {"face": 1}, several, 200),
        ("/v1/faces", {}, several, 200), ("/v1/copy", {"keep": 0, "crop": 1}, several, 200), ("/v1/copy", {}, one, 200),
        ("/v1/marked", {}, several, 200), ("/v1/search", {"k": 51}, one, 422), ("/v1/faces", {}, b"text", 415),
        ("/v1/faces", {}, bytes(21 * 1024 * 1024), 413),
    ]  # fmt: skip
    for path, query, body, status in asked:
        answered = await asyncio.to_thread(posted, matcher.url + path, query, body)
        assert answered.status_code == status, answered.text[:300]
        schema[path]["POST"].validate_response(answered)


def posted(url: str, query: dict, body: bytes) -> requests.Response:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/octet-stream"}
    return requests.post(url, params=query, data=body, headers=headers, timeout=60)
