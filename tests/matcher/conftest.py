"""The real model, once for the run, and photographs of the synthetic cast."""

import json
import os
import shutil
from pathlib import Path

import pytest

from matcher import pack
from matcher.faces import Faces

CAST = Path(__file__).parents[2] / "deploy" / "demo" / "cast"


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where the default pack is built, once for all runs of this machine."""
    return Path(os.environ.get("LEADGATE_MATCHER_CACHE", "~/.cache/leadgate")).expanduser()


@pytest.fixture(scope="session")
def faces(cache) -> Faces:
    return Faces(pack.default(cache))


def cast(name: str) -> list[dict]:
    """The rows of the cast's gallery or probes."""
    return [json.loads(line) for line in (CAST / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def cast_folder(tmp_path_factory) -> Path:
    """A folder per person: a few of the cast, gallery photographs and probes."""
    folder = tmp_path_factory.mktemp("cast")
    probes = [row for row in cast("probes") if row["person"] and row["faces"] == 1][:6]
    people = {row["person"] for row in probes}
    pictures = [(row["person"], row["photo"]) for row in cast("gallery") if row["person"] in people]
    for person, picture in (*pictures, *((row["person"], row["probe"]) for row in probes)):
        (folder / person).mkdir(exist_ok=True)
        shutil.copy(CAST / picture, folder / person)
    return folder
