"""A search reaches the classes of photographs that it names, and nothing else (M42)."""

import json
from dataclasses import replace
from datetime import timedelta

import aiohttp
import numpy as np
from PIL import Image

from bot.matching import Matcher as Client
from matcher import gallery
from matcher.contract import GalleryFacts, SearchResult
from matcher.index import GalleryIndex
from matcher.search import search
from policy import model as m
from policy.authority import searchable
from tests import story as s
from tests.matcher.conftest import PEOPLE, SECRET, probe_of
from tests.story import NOON

PAROLEE = PEOPLE[0]


def handed_over(manifest, classes):
    """The manifest with the class of each person; of those with two classes, the file is handed over under both."""
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    out = []
    for row in rows:
        for n, one in enumerate(classes.get(row["person"], ["arrest"])):
            photo = row["photo"]
            if n:  # the same file twice for one person is refused
                photo = photo.replace(".jpg", f"-{n}.jpg")
                picture = Image.open(manifest.parent / row["photo"])
                picture.save(manifest.parent / photo, quality=80)
            out.append(row | {"legal_basis": one, "photo": photo})
    manifest.write_text("".join(json.dumps(row) + "\n" for row in out))
    return manifest


async def asked(matcher, person, *classes) -> SearchResult:
    query = "&".join(f"class={one}" for one in classes)
    status, body = await matcher.ask("POST", f"/v1/search?{query}", probe_of(person).read_bytes())
    assert status == 200, body
    return SearchResult.model_validate_json(body)


async def test_of_somebody_of_two_classes_only_the_photographs_of_the_named_class_are_shown(
    matcher, enrol, small_manifest
):
    told = await enrol(handed_over(small_manifest, {PAROLEE: ["arrest", "parole"]}))
    await matcher.until(200, photos=told.done)
    for classes in (["arrest"], ["parole"], ["arrest", "parole"]):
        found = await asked(matcher, PAROLEE, *classes)
        assert found.candidates[0].person_id == PAROLEE
        assert {photo.legal_basis for photo in found.candidates[0].photos} == set(classes)


async def test_what_slips_past_the_mask_is_stopped_after_ranking(enrol, small_manifest, conn, faces):
    """The database has the last word on classes, whatever the index was told."""

    await enrol(handed_over(small_manifest, {PAROLEE: ["parole"]}))
    held = await gallery.read_all(conn, faces.model.sha256, faces.model.dimension)
    facts = GalleryFacts(photos=len(held.vectors), people=len(PEOPLE), root="00" * 32)
    ignorant = GalleryIndex(held)  # it takes every photograph for one of an arrest
    found = await search(conn, ignorant, facts, np.asarray(held.vectors[0]), 50, frozenset({"arrest"}))
    assert len(found.candidates) == len(PEOPLE) - 1
    assert {photo.legal_basis for c in found.candidates for photo in c.photos} == {"arrest"}


async def test_the_desk_searches_what_the_pack_permits_and_what_was_allowed_and_only_while_it_is(
    matcher, enrol, small_manifest
):
    told = await enrol(handed_over(small_manifest, {PAROLEE: ["parole"]}))
    await matcher.until(200, photos=told.done)
    until = NOON + timedelta(days=7)
    plain, _ = s.tell([(s.ASK, s.DANA)])
    why = {"repositories-reason": "He was on parole when the still was taken; the office consented to a search."}
    asked_for = replace(s.ASK, fields={**s.ASK.fields, **why}, repositories=("parole",))
    waiting, _ = s.tell([(asked_for, s.DANA)])
    allowed, _ = s.tell(
        [(m.AllowRepository(allow=True, reason="He was on parole when the still was taken."), s.REX)], search=waiting
    )
    photo = probe_of(PAROLEE).read_bytes()
    async with aiohttp.ClientSession() as session:
        client = Client(session, matcher.url, SECRET)

        async def first(of, now):
            found = await client.search(photo, 0, 5, searchable(of, s.pack(), now))
            return found.candidates[0].person_id == PAROLEE

        assert not await first(plain, NOON)
        assert not await first(waiting, NOON)
        assert await first(allowed, NOON)
        assert not await first(allowed, until)
