"""The same bot where Slack delivers by signed HTTP instead of Socket Mode."""

import os
import shutil
import tempfile
from pathlib import Path

import aiohttp

from deploy.demo import system
from tests.journeys.conftest import SHARED_MEMORY, Town
from tests.journeys.test_kills import one_of_each, whole_story


async def test_the_story_over_signed_http_and_nothing_that_is_not_signed_is_heard(enrolled):
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-http-", dir=parent))
    try:
        async with system.running(root, durable=False, workspace_options=("--control",), signed_http=True) as running:
            town = Town(running)
            await one_of_each(town, *await whole_story(town, enrolled))
            async with aiohttp.ClientSession() as stranger:
                door = f"http://127.0.0.1:{running.http_port}/slack/events"
                event = {"type": "event_callback", "team_id": "T1", "event": {"type": "message"}}
                async with stranger.post(door, json=event) as answer:
                    assert answer.status == 401
    finally:
        shutil.rmtree(root, ignore_errors=True)
