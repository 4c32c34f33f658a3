"""The matcher against its own OpenAPI document: no 5xx, and no answer that the document does not know."""

import subprocess
import sys

import pytest

from matcher import openapi
from tests.matcher.conftest import SECRET


def test_the_document_names_every_route(faces):
    from matcher.service import Service

    service = Service(faces, None, "x")
    routes = {(r.resource.canonical, r.method.lower()) for r in service.app().router.routes() if r.method != "HEAD"}
    said = {(path, method) for path, item in openapi.document()["paths"].items() for method in item}
    assert said == routes


@pytest.mark.parametrize("seed", [1])
async def test_nothing_that_is_asked_gives_an_undocumented_answer(matcher, tmp_path, seed):
    import asyncio
    import json

    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(openapi.document()))
    argv = [
        sys.executable, "-m", "schemathesis.cli", "run", str(file), "--url", matcher.url,
        "--header", f"Authorization: Bearer {SECRET}", "--max-examples", "25", "--seed", str(seed),
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all",
    ]  # fmt: skip
    ran = await asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=280
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
