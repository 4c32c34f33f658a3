"""Judges of Block Kit that nobody here wrote: slack_sdk's models, walked to the bottom, @slack/types under tsc, and
slackblocks (`limits_judge`).
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from .limits_judge import limits_say

Json = dict[str, Any]
HERE = Path(__file__).parent
TSC = HERE / "node_modules" / ".bin" / "tsc"
FETCHED = TSC.exists()
HOW = "npm's judges are fetched by `npm install --no-package-lock` in tests/workspace/judges"


# -- Slack's Python SDK ------------------------------------------------------------------------------------------


def models_say(untrusted: Json | list[Json]) -> str | None:
    """Why slack_sdk's models refuse a view or a list of blocks; None when they take it.

    `validate_json` looks at one object only, so every object below it is asked as well.
    """
    try:
        if isinstance(untrusted, dict):
            _walk(View(**untrusted))
        else:
            for block in Block.parse_all(untrusted):
                _walk(block)
    except SlackObjectFormationError as error:
        return str(error)
    except (TypeError, ValueError, AttributeError) as error:
        return f"cannot be read: {error}"
    return None


def _walk(thing: Any) -> None:
    match thing:
        case JsonObject():
            thing.validate_json()
            for value in vars(thing).values():
                _walk(value)
        case list() | tuple():
            for value in thing:
                _walk(value)
        case _:
            return


# -- Slack's TypeScript types ------------------------------------------------------------------------------------


def types_say(cases: Mapping[str, Json | list[Json]]) -> dict[str, str]:
    """Why tsc refuses a case under @slack/types, by name. All cases go through one compilation."""
    lines = ["import type { KnownBlock, View } from '@slack/types';"]
    names: dict[int, str] = {}
    for name, case in cases.items():
        kind = "View" if isinstance(case, dict) else "KnownBlock[]"
        names[len(lines) + 1] = name
        lines.append(f"export const c{len(lines)}: {kind} = {json.dumps(case)};")
    return _refused(lines, names)


def manifest_types_say(manifest: Json) -> str | None:
    """Why tsc refuses an app manifest under the types of Slack's own app SDK; None where it takes it."""
    lines = [
        "import type { ManifestSchema } from './node_modules/@slack/deno-slack-sdk/esm/manifest/manifest_schema.js';",
        # Apps of that SDK bring an icon along; elsewhere it is uploaded on the app's page, and Slack's schema has none.
        f"export const manifest: Omit<ManifestSchema, 'icon'> = {json.dumps(manifest)};",
    ]
    return _refused(lines, {2: "manifest"}).get("manifest")


def _refused(lines: list[str], names: Mapping[int, str]) -> dict[str, str]:
    """Why tsc refuses the named lines of a file. What the judges' own types get wrong is not looked at."""
    with tempfile.NamedTemporaryFile("w", suffix=".ts", dir=HERE, encoding="utf-8") as source:
        source.write("\n".join(lines))
        source.flush()
        words = [str(TSC), "--noEmit", "--strict", "--skipLibCheck", "--types", "", "--module", "nodenext", source.name]
        said = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HERE)
    found: dict[str, str] = {}
    for line in said.stdout.splitlines():
        if f"{Path(source.name).name}(" in line:
            at, _, why = line.partition("): error ")
            number = int(at.rpartition("(")[2].split(",")[0])
            found.setdefault(names.get(number, "the file itself"), why)
    assert said.returncode == 0 or found, said.stdout + said.stderr
    return found


# -- what an app sent --------------------------------------------------------------------------------------------


def payloads_in(calls: list[tuple[str, Json]]) -> dict[str, Json | list[Json]]:
    """Every view and every list of blocks among the recorded calls (`director("record")["calls"]`), by number and method."""
    found: dict[str, Json | list[Json]] = {}
    for number, (method, given) in enumerate(calls):
        for part in ("blocks", "view"):
            if given.get(part):
                found[f"{number} {method}"] = given[part]
    return found


def verdicts(payloads: Mapping[str, Json | list[Json]]) -> dict[str, str]:
    """Who refuses what, and why; empty when nobody refuses anything."""
    refused = {name: f"slack_sdk: {why}" for name, case in payloads.items() if (why := models_say(case))}
    refused |= {name: f"slackblocks: {why}" for name, case in payloads.items() if (why := limits_say(case))}
    if FETCHED and payloads:
        refused |= {name: f"@slack/types: {why}" for name, why in types_say(payloads).items()}
    return refused
