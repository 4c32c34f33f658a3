"""The matcher's settings, read from the environment once, in the composition root."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it, and never shows a value."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """`LEADGATE_MATCHER_…` variables. Secrets are never printed."""

    model_config = SettingsConfigDict(env_prefix="LEADGATE_MATCHER_", frozen=True, env_ignore_empty=True)

    database_url: SecretStr
    secret: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = 8500
    pack: Path | None = None  # an operator's model pack; the default is built from the wheel
    cache: Path = Path("~/.cache/leadgate")
    threads: int = Field(default_factory=cores, ge=1)  # of the model and of the scan
    provider: Literal["cpu", "cuda", "openvino", "coreml"] = "cpu"  # of onnxruntime: cpu, cuda, openvino, coreml
    read_first: int = 256 << 20  # bytes of vectors in a snapshot; of more, each is checked when a search reads it


def read() -> Settings:
    """From the environment. Raises SettingsError with one line."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue] - the environment fills it
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "LEADGATE_MATCHER_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from None
