"""The whole system on one machine, from the same parts that production runs: only the addresses differ."""

import asyncio
import base64
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

import migrations
from bot import database
from bot.notes import Signer
from bot.people import Person
from bot.roster import ROLE_OF_GROUP
from deploy.commands import people as roster
from deploy.commands.db import make_login
from deploy.demo.postgres import EmbeddedPostgres
from deploy.demo.processes import Child, plain_environment, ready
from policy.model import PersonId, Role

HERE = Path(__file__).parent
CAST = HERE / "cast" / "gallery.jsonl"
CHANNELS = {"INTAKE": "face-intake", "REVIEW": "face-review", "OVERSIGHT": "face-oversight"}
DATABASE = "leadgate"


def _write_secret(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once per demonstration and kept in a file of its own, 0600."""

    matcher: str
    photo_key: str
    logins: dict[str, str]

    @classmethod
    def of(cls, root: Path) -> "Secrets":
        """Those of this demonstration, minted the first time."""
        path = root / "secrets.json"
        if not path.exists():
            minted = {
                "matcher": secrets.token_urlsafe(32),
                "photo_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "logins": {role: secrets.token_urlsafe(24) for role in ("bot", "matcher", "auditor", "sealer")},
            }
            _write_secret(path, json.dumps(minted))
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(slots=True)
class System:
    """Everything that runs, and where."""

    root: Path
    postgres: EmbeddedPostgres
    secrets: Secrets
    workspace_port: int
    matcher_port: int
    viewer_port: int
    lease_seconds: float = 30.0
    workspace_options: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])  # of the bot, over those of the demonstration
    http_port: int = 0  # 0: Socket Mode; otherwise Slack delivers by signed HTTP to this port
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    channels: dict[str, str] = field(default_factory=dict[str, str])
    credentials: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.workspace_port}"

    @property
    def matcher_url(self) -> str:
        return f"http://127.0.0.1:{self.matcher_port}"

    def database_url(self, role: str) -> str:
        """The database as that role's login; `postgres` is the superuser."""
        if role == "postgres":
            return self.postgres.url(DATABASE)
        return self.postgres.url(DATABASE, f"demo_{role}", self.secrets.logins[role])

    def slack(self) -> AsyncWebClient:
        """The Web API as the app's operator sees it."""
        return AsyncWebClient(token=self.credentials["bot_token"], base_url=f"{self.page}/api/")

    async def command(self, *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        """`leadgate …` run to its end, as an operator would: (exit status, what it said)."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy", *words),
            env=plain_environment() | (env or {}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace")

    def child(self, name: str, *argv: str, env: dict[str, str] | None = None) -> Child:
        log = self.root / "logs" / f"{name}.log"
        made = Child(name, [sys.executable, "-m", *argv], plain_environment() | (env or {}), log)
        self.children[name] = made
        return made

    def bot_environment(self) -> dict[str, str]:
        """The bot's settings, exactly as an operator would set them."""
        return {
            "LEADGATE_DATABASE_URL": self.database_url("bot"),
            "LEADGATE_SLACK_BOT_TOKEN": self.credentials["bot_token"],
            "LEADGATE_SLACK_APP_TOKEN": self.credentials["app_token"],
            "LEADGATE_SLACK_API_URL": f"{self.page}/api/",
            "LEADGATE_MATCHER_URL": self.matcher_url,
            "LEADGATE_MATCHER_SECRET": self.secrets.matcher,
            "LEADGATE_PHOTO_KEY": self.secrets.photo_key,
            "LEADGATE_VIEWER_PORT": str(self.viewer_port),
            "LEADGATE_LEASE_SECONDS": str(self.lease_seconds),
            **self._transport(),
            "LEADGATE_ROSTER_FROM_GROUPS": "true",
            "LEADGATE_SPILL": str(self.root / "logs" / "spill"),
            **{f"LEADGATE_{name}_CHANNEL": self.channels[channel] for name, channel in CHANNELS.items()},
            **self.settings,
        }

    def _transport(self) -> dict[str, str]:
        if not self.http_port:
            return {}
        return {
            "LEADGATE_TRANSPORT": "http",
            "LEADGATE_HTTP_PORT": str(self.http_port),
            "LEADGATE_SLACK_SIGNING_SECRET": self.credentials["signing_secret"],
        }

    def sealer_environment(self) -> dict[str, str]:
        return {
            "LEADGATE_SEALER_DATABASE_URL": self.database_url("sealer"),
            "LEADGATE_SEALER_KEY_FILE": str(self.root / "ledger.key"),
            "LEADGATE_SEALER_CHECKPOINT_FILE": str(self.root / "checkpoint"),
        }

    def matcher_environment(self) -> dict[str, str]:
        return {
            "LEADGATE_MATCHER_DATABASE_URL": self.database_url("matcher"),
            "LEADGATE_MATCHER_SECRET": self.secrets.matcher,
            "LEADGATE_MATCHER_PORT": str(self.matcher_port),
        }


@asynccontextmanager
async def running(
    root: Path,
    *,
    port: int = 0,
    lease_seconds: float = 30.0,
    durable: bool = True,
    workspace_options: tuple[str, ...] = (),
    signed_http: bool = False,
    settings: Mapping[str, str] | None = None,
    gallery: Path | None = None,
) -> AsyncGenerator[System, None]:
    """The whole system is up, its roster and gallery filled; on leaving, every process of it has ended.

    `gallery`, a manifest or a folder with a folder for each person, is enrolled instead of the synthetic cast.
    """
    postgres = EmbeddedPostgres(root / "postgres", durable=durable)
    await asyncio.to_thread(postgres.start)  # makes `root`, too
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        made = Secrets.of(root)
        system = System(
            root, postgres, made, port or _free_port(), _free_port(), _free_port(), lease_seconds, workspace_options
        )
        system.http_port = _free_port() if signed_http else 0
        system.settings = settings or {}
        await prepare_database(system)
        stack.push_async_callback(stop, system)
        await asyncio.gather(_start_workspace(system), start_matcher(system, gallery))
        await _fill_roster(system)
        await start_bot(system)
        yield system


async def stop(system: System) -> None:
    for name in ("bot", "worker", "sealer", "matcher", "workspace"):
        if child := system.children.get(name):
            await child.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def prepare_database(system: System) -> None:
    """The database exists, is migrated, and has a login for each service."""
    await _create_database(system.postgres.url())
    await migrations.upgrade(system.database_url("postgres"))
    for role, password in system.secrets.logins.items():
        await make_login(system.database_url("postgres"), f"demo_{role}", role, password)


EXISTS = "SELECT true FROM pg_database WHERE datname = 'leadgate'"
CREATE = "CREATE DATABASE leadgate"


async def _create_database(url: str) -> None:
    pool = await database.connect(url, name="leadgate-demo", size=1, needs_schema=False)
    try:
        async with pool.acquire() as conn:
            if not await conn.fetchval(EXISTS):
                await conn.execute(CREATE)
    finally:
        await pool.close()


async def _start_workspace(system: System) -> None:
    credentials = system.root / "workspace.json"
    credentials.unlink(missing_ok=True)
    child = system.child(
        "workspace",
        "deploy.workspace",
        "--port",
        str(system.workspace_port),
        "--credentials",
        str(credentials),
        "--state",
        str(system.root / "workspace"),
        *system.workspace_options,
        *(("--request-url", f"http://127.0.0.1:{system.http_port}/slack/events") if system.http_port else ()),
    )
    await child.start()

    async def answers() -> bool:
        if not credentials.exists():
            return False
        try:
            system.credentials = json.loads(credentials.read_text(encoding="utf-8"))
            await system.slack().auth_test()
        except (ValueError, SlackClientError, aiohttp.ClientError):
            return False
        return True

    await ready(child, answers)


async def start_matcher(system: System, gallery: Path | None = None) -> None:
    """The gallery is filled from the synthetic cast, or from one's own, once, and the matcher serves it."""
    env = system.matcher_environment()
    await _enrol(system, gallery or CAST, env, folder=bool(gallery and gallery.is_dir()))  # noqa: ASYNC240 - once
    child = system.child("matcher", "matcher", env=env)
    await child.start()

    async def answers() -> bool:
        return await _is_ready(system.matcher_url + "/readyz", system.secrets.matcher)

    await ready(child, answers)


async def _enrol(system: System, gallery: Path, env: dict[str, str], *, folder: bool) -> None:
    today = datetime.now(UTC).date().isoformat()
    of_folder = ("--legal-basis", "demonstration", "--agency", "Demo PD", "--photo-date", today)
    words = ("gallery", "enrol", str(gallery), "--by", "Demo clerk", *(of_folder if folder else ()))
    status, said = await system.command(*words, env=env)
    if status:
        raise RuntimeError(f"The gallery could not be filled:\n{said[-2000:]}")
    # Nobody enrols alone: another of the demonstration's people agrees, unless that was done at an earlier start.
    named = re.findall(r"\b[0-9a-f]{32}\b", said)
    what = named[0] if folder and named else str(gallery)
    status, said = await system.command("gallery", "approve", what, "--by", "Demo captain", env=env)
    if status and "waits" not in said:
        raise RuntimeError(f"The gallery could not be approved:\n{said[-2000:]}")


async def _is_ready(url: str, secret: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"Authorization": f"Bearer {secret}"}) as response,
        ):
            return response.status == 200  # noqa: PLR2004 - OK
    except aiohttp.ClientError:
        return False


async def _fill_roster(system: System) -> None:
    """Whoever the workspace's user groups name is on the roster, with that role, certified for a year."""
    slack = system.slack()
    listed: Any = await slack.conversations_list(types="public_channel,private_channel", limit=200)
    system.channels = {channel["name"]: channel["id"] for channel in listed["channels"]}
    users: Any = await slack.users_list()
    groups: Any = await slack.usergroups_list(include_users=True)
    now = datetime.now(UTC)
    roles: dict[str, set[Role]] = {}
    for group in groups["usergroups"]:
        for user in group["users"]:
            roles.setdefault(user, set()).add(ROLE_OF_GROUP[group["handle"]])
    people = [
        Person(
            PersonId(user["name"]),
            user["real_name"],
            frozenset(roles[user["id"]]),
            now + timedelta(days=365),
            user["team_id"],
            user["id"],
        )
        for user in users["members"]
        if user["id"] in roles
    ]
    await roster.put(system.database_url("bot"), people, now)


async def start_bot(system: System) -> None:
    """The listener is connected and the worker runs, both say so in their logs; the sealer signs."""
    key = system.root / "ledger.key"
    if not key.exists():
        signer = Signer.new("leadgate-demo")
        _write_secret(key, signer.secret + "\n")
        (system.root / "ledger.vkey").write_text(str(signer.verifier) + "\n", encoding="utf-8")
    await system.child("sealer", "deploy", "sealer", env=system.sealer_environment()).start()
    for name in ("bot", "worker"):
        child = system.child(name, "deploy", name, env=system.bot_environment())
        await child.start()
    for name in ("bot", "worker"):
        child = system.children[name]

        async def said(child: Child = child, name: str = name) -> bool:
            return f'"{name}.ready"' in child.last_words(50)

        await ready(child, said)
