"""What the workspace is set up from: the operator's own app manifest, and a file that says who works here."""

import json
import secrets
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from .model import Json, stable_id

HERE = Path(__file__).parent
DEFAULT_PEOPLE = HERE / "people.toml"
DEFAULT_MANIFEST = HERE.parent / "slack-manifest.yaml"


class ManifestError(Exception):
    """The app manifest cannot be read, or Slack would refuse it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Team(_Strict):
    name: str = "Leadgate"
    domain: str = "leadgate"


class Person(_Strict):
    """Somebody with an account. `guest` is a multi-channel guest, `single_channel_guest` the narrower kind."""

    name: str
    real_name: str
    title: str = ""
    email: str = ""
    admin: bool = False
    guest: bool = False
    single_channel_guest: bool = False
    deactivated: bool = False


class Room(_Strict):
    name: str
    kind: Literal["public", "private"] = "private"
    purpose: str = ""
    members: list[str] = []
    bot: bool = True
    slack_connect: bool = False


class Usergroup(_Strict):
    handle: str
    name: str
    members: list[str] = []


class People(_Strict):
    """The whole people file."""

    team: Team = Team()
    people: list[Person]
    channels: list[Room] = []
    groups: list[Usergroup] = []


class Command(BaseModel):
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


class Shortcut(BaseModel):
    name: str
    type: Literal["message", "global"]
    callback_id: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the app may do and wants to hear of, as Slack understands its manifest."""

    name: str
    description: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    socket_mode: bool
    interactivity: bool
    home_tab: bool
    messages_tab: bool
    request_url: str = ""
    interactivity_url: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the operator would copy from Slack's pages into the bot's settings."""

    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str
    guide_key: str

    @classmethod
    def mint(cls, seed: str = "") -> "Credentials":
        """New secrets; with a seed, always the same ones (a restart of the demo keeps its bot signed in)."""

        def secret(name: str) -> str:
            return (
                stable_id("x" * 2, seed, name).lower() + stable_id("y", seed, name) if seed else secrets.token_hex(12)
            )

        return cls(
            bot_token=f"xoxb-{secret('bot')}",
            app_token=f"xapp-1-{secret('app')}",
            signing_secret=secret("signing"),
            verification_token=secret("verification"),
            guide_key=secret("guide"),
        )


@dataclass(frozen=True, slots=True)
class WorkspaceConfig:
    """Everything a workspace is made from. `state` is a folder; without one, nothing outlives the process."""

    manifest: Manifest
    people: People
    credentials: Credentials = field(default_factory=Credentials.mint)
    state: Path | None = None
    control: bool = False


def read_people(path: Path = DEFAULT_PEOPLE) -> People:
    return People.model_validate(tomllib.loads(path.read_text("utf-8")))


def read_manifest(path: Path = DEFAULT_MANIFEST) -> Manifest:
    """The manifest in JSON or YAML; JSON is YAML, so one reader serves both."""
    return parse_manifest(path.read_text("utf-8"))


def parse_manifest(untrusted_text: str) -> Manifest:
    try:
        untrusted: Any = yaml.safe_load(untrusted_text)
    except yaml.YAMLError as error:
        raise ManifestError(f"The app manifest is neither YAML nor JSON: {error}") from error
    if not isinstance(untrusted, dict) or "display_information" not in untrusted:
        raise ManifestError("The app manifest has no display_information; Slack would refuse it.")
    manifest = _manifest(json.loads(json.dumps(untrusted)))
    _agree(manifest)
    return manifest


def _manifest(raw: Json) -> Manifest:
    features, settings = raw.get("features", {}), raw.get("settings", {})
    home, interactivity = features.get("app_home", {}), settings.get("interactivity", {})
    subscriptions = settings.get("event_subscriptions", {})
    return Manifest(
        name=raw["display_information"]["name"],
        description=raw["display_information"].get("description", ""),
        scopes=frozenset(raw.get("oauth_config", {}).get("scopes", {}).get("bot", [])),
        events=frozenset(subscriptions.get("bot_events", [])),
        commands=tuple(Command.model_validate(c) for c in features.get("slash_commands", [])),
        shortcuts=tuple(Shortcut.model_validate(s) for s in features.get("shortcuts", [])),
        socket_mode=bool(settings.get("socket_mode_enabled")),
        interactivity=bool(interactivity.get("is_enabled")),
        home_tab=bool(home.get("home_tab_enabled")),
        messages_tab=bool(home.get("messages_tab_enabled")),
        request_url=subscriptions.get("request_url", ""),
        interactivity_url=interactivity.get("request_url", ""),
    )


EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "channel_deleted": "channels:read",
    "channel_left": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "file_change": "files:read",
    "file_created": "files:read",
    "file_deleted": "files:read",
    "file_public": "files:read",
    "file_shared": "files:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_left": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "pin_added": "pins:read",
    "pin_removed": "pins:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "subteam_created": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "team_join": "users:read",
    "user_change": "users:read",
}
"""Which scope Slack demands before it lets an app subscribe (api.slack.com/events)."""


def _agree(manifest: Manifest) -> None:
    """Slack refuses a manifest that subscribes to what its scopes do not allow, and so do we."""
    for event in sorted(manifest.events):
        scope = EVENT_SCOPES.get(event)
        if scope and scope not in manifest.scopes:
            raise ManifestError(f"The app manifest subscribes to {event} without the scope {scope}.")
    if (manifest.commands or manifest.shortcuts) and "commands" not in manifest.scopes:
        raise ManifestError("The app manifest has commands or shortcuts without the scope commands.")
