"""The bot's settings, read from the environment once, in the composition root."""

import base64
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """The service cannot start as it is set up."""


def _http_address(url: str) -> str:
    """What a path can be put behind; a typing error would otherwise look like a service that is away."""
    parts = urlsplit(url)
    whole = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
    if url and not (whole and url.isprintable() and " " not in url):
        raise ValueError("not an address such as https://cases.example/numbers")
    return url


def _fits_a_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("one word of ASCII is needed, without blanks and line ends")
    return secret


class Settings(BaseSettings):
    """`LEADGATE_…` variables. Secrets are never printed."""

    model_config = SettingsConfigDict(env_prefix="LEADGATE_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr
    slack_bot_token: SecretStr
    slack_app_token: SecretStr | None = None  # Socket Mode
    slack_signing_secret: SecretStr | None = None  # signed HTTP
    slack_api_url: str = "https://slack.com/api/"  # GovSlack and the local workspace have others
    transport: Literal["socket", "http"] = "socket"
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    viewer_host: str = "127.0.0.1"  # what terminates TLS stands in front
    viewer_port: int = 8081
    viewer_url: str | None = None  # as examiners' browsers reach it, such as https://viewer.example
    images_in_slack: bool = True  # False: photographs appear at the viewer and nowhere else (M38)
    intake_channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]
    review_channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]
    oversight_channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]
    matcher_url: str
    matcher_secret: SecretStr
    photo_key: SecretStr  # 32 bytes, base64: wraps the key of each search
    seal_before_disclosure: bool = True  # nothing leaves before the ledger's signer has sealed why
    spill: Path = Path("/var/lib/leadgate/logs.spill")  # logs, while Postgres is away
    case_url: Annotated[str, AfterValidator(_http_address)] = ""  # bot/case-system.md; none is asked without it
    case_secret: Annotated[SecretStr, AfterValidator(_fits_a_header)] = SecretStr("")
    roster_from_groups: bool = False  # roles follow Slack user groups; otherwise `leadgate people import` alone
    pack: str = "nypd-2020"
    pack_folder: Path | None = None  # an agency's own packs; what is shipped otherwise
    pack_key: Path | None = None  # the public key that signed them, as `leadgate policy key` writes it
    lease_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    @model_validator(mode="after")
    def transport_has_its_secret(self) -> Self:
        needed = self.slack_app_token if self.transport == "socket" else self.slack_signing_secret
        if needed is None:
            name = "LEADGATE_SLACK_APP_TOKEN" if self.transport == "socket" else "LEADGATE_SLACK_SIGNING_SECRET"
            raise ValueError(f"transport {self.transport!r} needs {name}")
        return self

    @property
    def viewer_address(self) -> str:
        """The viewer's origin, without a path."""
        return (self.viewer_url or f"http://{self.viewer_host}:{self.viewer_port}").rstrip("/")

    @property
    def key_encryption_key(self) -> bytes:
        return base64.b64decode(self.photo_key.get_secret_value(), validate=True)


class SealerSettings(BaseSettings):
    """Of the ledger's signer: a process, a login and a key of its own."""

    model_config = SettingsConfigDict(env_prefix="LEADGATE_SEALER_", frozen=True, env_ignore_empty=True)

    database_url: SecretStr
    key_file: Path  # made by `leadgate ledger key`
    checkpoint_file: Path | None = None  # where each signed checkpoint is published, for a witness to take


def read() -> Settings:
    """The settings of this process; SettingsError says in one line what is missing or wrong, and never a value."""
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue] - the environment fills it
        key = settings.key_encryption_key
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "LEADGATE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name.rstrip('_')}: {first['msg']}") from None
    except ValueError:
        raise SettingsError("LEADGATE_PHOTO_KEY: not base64") from None
    if len(key) != 32:  # noqa: PLR2004 - AES-256
        raise SettingsError("LEADGATE_PHOTO_KEY: 32 bytes are needed")
    return settings
