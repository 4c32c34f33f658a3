"""What Slack's schema of app manifests (slackapi/manifest-schema 2.0.0) asks of the parts that an app like ours has.

Unknown parts are refused, as a typing error would otherwise be an app without that feature. Limits are the schema's.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=3000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=50)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Metadata(_Part):
    major_version: int = 1
    minor_version: int = 0


class DisplayInformation(_Part):
    name: Annotated[str, StringConstraints(min_length=1, max_length=35)]
    description: Annotated[str, StringConstraints(max_length=140)] = ""
    long_description: Annotated[str, StringConstraints(max_length=4000)] = ""
    background_color: Annotated[str, StringConstraints(pattern=r"^#([0-9a-fA-F]{3}){1,2}$")] = "#000000"


class AppHome(_Part):
    home_tab_enabled: bool = False
    messages_tab_enabled: bool = True
    messages_tab_read_only_enabled: bool = True


class BotUser(_Part):
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    always_online: bool = False


class Shortcut(_Part):
    name: Annotated[str, StringConstraints(min_length=1, max_length=24)]
    type: Literal["message", "global"]
    callback_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=150)]


class SlashCommand(_Part):
    command: Annotated[str, StringConstraints(pattern=r"^/\S+$", max_length=32)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    usage_hint: Annotated[str, StringConstraints(max_length=1000)] = ""
    should_escape: bool = False
    url: Address | None = None


class Features(_Part):
    app_home: AppHome = AppHome()
    bot_user: BotUser
    shortcuts: Annotated[tuple[Shortcut, ...], Field(max_length=10, strict=False)] = ()
    slash_commands: Annotated[tuple[SlashCommand, ...], Field(max_length=50, strict=False)] = ()


class Scopes(_Part):
    bot: Annotated[tuple[Name, ...], Field(min_length=1, max_length=255, strict=False)]
    user: Annotated[tuple[Name, ...], Field(max_length=255, strict=False)] = ()


class OAuth(_Part):
    scopes: Scopes
    redirect_urls: Annotated[tuple[Address, ...], Field(max_length=1000, strict=False)] = ()


class EventSubscriptions(_Part):
    bot_events: Annotated[tuple[Name, ...], Field(max_length=100, strict=False)] = ()
    user_events: Annotated[tuple[Name, ...], Field(max_length=100, strict=False)] = ()
    request_url: Address | None = None


class Interactivity(_Part):
    is_enabled: bool
    request_url: Address | None = None
    message_menu_options_url: Address | None = None


class Settings(_Part):
    event_subscriptions: EventSubscriptions = EventSubscriptions()
    interactivity: Interactivity = Interactivity(is_enabled=False)
    org_deploy_enabled: bool = False
    socket_mode_enabled: bool = False
    token_rotation_enabled: bool = False


class AppManifest(_Part):
    """One app, as it is uploaded."""

    metadata: Annotated[Metadata, Field(alias="_metadata")] = Metadata()
    display_information: DisplayInformation
    features: Features
    oauth_config: OAuth
    settings: Settings
