"""What the workspace is set up from: the operator's own app manifest, and a file that says who works here."""

import secrets
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from .manifest_shape import AppManifest, Shortcut, SlashCommand
from .model import stable_id

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
    """Somebody with an account. `guest` is a multi-channel guest, `single_channel_guest` the narrower kind; whoever has
    a `team` is of another workspace and here through Slack Connect.
    """

    name: str
    real_name: str
    title: str = ""
    email: str = ""
    admin: bool = False
    guest: bool = False
    single_channel_guest: bool = False
    team: str = ""
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


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the app may do and wants to hear of, as Slack understands its manifest."""

    name: str
    description: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[SlashCommand, ...]
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
    try:
        manifest = _manifest(AppManifest.model_validate(untrusted))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole of it"
        raise ManifestError(f"Slack would refuse the app manifest: {where}: {first['msg']}.") from error
    _agree(manifest)
    return manifest


def _manifest(said: AppManifest) -> Manifest:
    home, events, settings = said.features.app_home, said.settings.event_subscriptions, said.settings
    return Manifest(
        name=said.display_information.name,
        description=said.display_information.description,
        scopes=frozenset(said.oauth_config.scopes.bot),
        events=frozenset(events.bot_events),
        commands=said.features.slash_commands,
        shortcuts=said.features.shortcuts,
        socket_mode=settings.socket_mode_enabled,
        interactivity=settings.interactivity.is_enabled,
        home_tab=home.home_tab_enabled,
        messages_tab=home.messages_tab_enabled,
        request_url=events.request_url or "",
        interactivity_url=settings.interactivity.request_url or "",
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
