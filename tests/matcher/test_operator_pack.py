"""A model pack that an operator brings: searched with where it says its licence and evaluation, refused where not."""

import asyncio
import json
import shutil
import sys

import pytest

from deploy import enrol_run, manifest
from deploy.enrol_run import Terms
from matcher.contract import SearchResult
from matcher.faces import Faces
from tests.matcher import operator_pack
from tests.matcher.conftest import ONE_PERSON, PEOPLE, Matcher, probe_of
from tests.matcher.operator_pack import UnreachableError


@pytest.fixture(scope="session")
def shipped(cache):
    """Fetched once for all runs of this machine; what is not reachable cannot be tested."""
    try:
        return operator_pack.buffalo_sc(cache / "test-packs" / "buffalo_sc")
    except UnreachableError as error:
        pytest.skip(f"the package index is not reachable: {error}")


@pytest.fixture
def own(shipped, tmp_path):
    """The pack in a folder of the operator's."""
    return shutil.copytree(shipped, tmp_path / "own-pack")


def saying(folder, **changes):
    said = json.loads((folder / "pack.json").read_text()) | changes
    (folder / "pack.json").write_text(json.dumps({key: value for key, value in said.items() if value is not None}))
    return folder


async def test_a_gallery_is_enrolled_and_searched_with_an_operators_own_pack(own, small_manifest, conn, unstarted):
    faces = Faces(own)
    assert (faces.model.pack, faces.model.dimension) == ("buffalo_sc", 512)
    read = manifest.read(small_manifest)
    told = await enrol_run.run(read, lambda: faces, Terms("clerk", ONE_PERSON, False), 1, lambda *_: None, conn)
    assert told.done == len(read.rows)
    matcher = Matcher(unstarted | {"LEADGATE_MATCHER_PACK": str(own)})
    try:
        await matcher.start()
        await matcher.until(200, photos=told.done)
        for person in PEOPLE:
            status, body = await matcher.ask("POST", "/v1/search", probe_of(person).read_bytes())
            assert status == 200, body
            found = SearchResult.model_validate_json(body)
            assert found.candidates[0].person_id == person
            assert found.certificate.complete
            assert found.model == faces.model
            assert "non-commercial" in found.model.licence
            assert found.model.evaluation["lfw_rank1"] > 0.9
    finally:
        await matcher.stop()


@pytest.mark.parametrize("missing", ["licence", "evaluation"])
async def test_a_pack_without_its_licence_or_evaluation_starts_no_matcher(own, unstarted, missing):
    saying(own, **{missing: None})
    env = unstarted | {"LEADGATE_MATCHER_PACK": str(own)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "matcher", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode
    assert out == b""
    assert f"matcher: cannot start. {own}/pack.json: {missing} missing" in err.decode()


async def test_a_pack_of_an_unknown_preprocessing_starts_no_matcher(own, unstarted):
    saying(own, preprocessing="1+sharpened")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "matcher",
        env=unstarted | {"LEADGATE_MATCHER_PACK": str(own)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert "cannot start. preprocessing '1+sharpened'" in err.decode()
