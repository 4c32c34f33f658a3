"""`python -m deploy.workspace`: the workspace as a process of its own."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from .configuration import (
    DEFAULT_MANIFEST,
    DEFAULT_PEOPLE,
    Credentials,
    ManifestError,
    WorkspaceConfig,
    read_manifest,
    read_people,
)
from .model import Json
from .server import running
from .workspace import Workspace

REFUSAL = (
    "{name} is set: this looks like a machine that serves a real department. The workspace is for trying Leadgate out "
    "and does not start here. Unset it, or use another machine."
)


def production_setting() -> str | None:
    """The name of a setting that says this machine serves a real department, if there is one."""
    if os.environ.get("LEADGATE_ENVIRONMENT", "").lower() in {"production", "prod", "live"}:
        return "LEADGATE_ENVIRONMENT"
    names = ("LEADGATE_SLACK_BOT_TOKEN", "LEADGATE_SLACK_APP_TOKEN", "LEADGATE_BOT_SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN")
    return next((n for n in names if os.environ.get(n)), None)


def read_words() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="python -m deploy.workspace", description=__doc__)
    words.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    words.add_argument("--manifest", type=Path, default=DEFAULT_MANIFEST)
    words.add_argument("--people", type=Path, default=DEFAULT_PEOPLE)
    words.add_argument("--state", type=Path, help="a folder to remember everything in")
    words.add_argument("--credentials", type=Path, help="write tokens here (0600) instead of printing them")
    words.add_argument("--control", action="store_true", help="open the control door: faults, time, people")
    words.add_argument(
        "--request-url", default="", help="deliver by signed HTTP to this address instead of Socket Mode"
    )
    return words.parse_args()


def credentials_of(ws: Workspace) -> Json:
    """What the bot needs to know of its workspace."""
    secrets = ws.credentials
    return {
        "base_url": ws.base,
        "api_url": f"{ws.base}/api/",
        "port": int(ws.base.rpartition(":")[2]),
        "bot_token": secrets.bot_token,
        "app_token": secrets.app_token,
        "signing_secret": secrets.signing_secret,
        "guide_key": secrets.guide_key,
        "team_id": ws.state.team,
        "bot_user_id": ws.state.bot_user,
        "channels": {c.name: c.id for c in ws.state.channels.values() if c.name},
        "groups": {g.handle: g.id for g in ws.state.groups.values()},
        "users": {u.name: u.id for u in ws.state.users.values()},
    }


def hand_over(words: argparse.Namespace, ws: Workspace) -> None:
    line = json.dumps(credentials_of(ws))
    if words.credentials is None:
        print(line, flush=True)
        return
    words.credentials.unlink(missing_ok=True)
    with os.fdopen(os.open(words.credentials, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line)
    print(json.dumps({"base_url": ws.base, "credentials": str(words.credentials)}), flush=True)


def kept_credentials(state: Path | None) -> Credentials:
    """New ones, or those that this state folder was first opened with."""
    if state is None:
        return Credentials.mint()
    kept = state / "credentials.json"
    if kept.exists():
        return Credentials(**json.loads(kept.read_text("utf-8")))
    state.mkdir(parents=True, exist_ok=True)
    made = Credentials.mint()
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({name: getattr(made, name) for name in Credentials.__dataclass_fields__}, file)
    return made


async def serve(words: argparse.Namespace, config: WorkspaceConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(config, words.port) as ws:
        if words.request_url:
            ws.deliver_to(words.request_url)
        hand_over(words, ws)
        await stop.wait()


def main() -> int:
    words = read_words()
    if name := production_setting():
        print(REFUSAL.format(name=name), file=sys.stderr)
        return 2
    try:
        config = WorkspaceConfig(
            read_manifest(words.manifest),
            read_people(words.people),
            kept_credentials(words.state),
            words.state,
            control=words.control,
        )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(words, config))
    except (ManifestError, OSError) as error:
        print(f"The workspace could not start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
