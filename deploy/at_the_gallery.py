"""What every `leadgate gallery` command needs: settings, the model, the database, and one line where one is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import typer
from rich.console import Console

from matcher import gallery, pack, settings
from matcher.app import load_faces, model_pack
from matcher.faces import PROVIDERS, Faces
from matcher.gallery import Conn
from matcher.pack import PackError
from matcher.settings import Settings, SettingsError

T = TypeVar("T")
# Names, sentences and numbers come from manifests: none of it is markup.
console = Console(stderr=True, markup=False, highlight=False)
out = Console(markup=False, highlight=False)
WRONG, REFUSED, AWAY = 1, 2, 3  # what a command exits with


def stop(why: str, status: int = REFUSED) -> NoReturn:
    """The command ends here, with one line."""
    console.print(f"leadgate: {why}", soft_wrap=True)
    raise typer.Exit(status)


def read_settings() -> Settings:
    """From the environment."""
    try:
        return settings.read()
    except SettingsError as error:
        stop(str(error))


def model() -> str:
    """The hash of the model pack that is set."""
    try:
        return pack.fingerprint(model_pack(read_settings()))
    except PackError as error:
        stop(str(error))


def loaded(of: Settings) -> Faces:
    """The model; a line says what it runs on: onnxruntime falls back to the CPU without a word."""
    try:
        faces = load_faces(of, 1)
    except PackError as error:
        stop(str(error))
    asked, used = PROVIDERS[of.provider], faces.model.provider
    instead = "" if asked == used else f" {asked} was asked for (LEADGATE_MATCHER_PROVIDER) and does not run."
    console.print(f"Model {faces.model.pack} on {used}.{instead}")
    return faces


def with_database(act: Callable[[Conn], Awaitable[T]]) -> T:
    """What `act` made of a connection as the matcher."""
    url = read_settings().database_url.get_secret_value()

    async def run() -> T:
        pool = await gallery.connect(url, "leadgate-gallery")
        try:
            async with pool.acquire() as conn:
                return await act(conn)
        finally:
            await gallery.close(pool)

    try:
        return asyncio.run(run())
    except gallery.REFUSED as error:  # without its detail: that is the whole row
        stop(f"the database refused it: {error.args[0]}. What was done before is kept.")
    except PackError as error:
        stop(str(error))
    except (*gallery.UNUSABLE, *gallery.AWAY) as error:
        stop(f"{gallery.why_not(error)} What was done before is kept.", AWAY)
