"""Policy packs are read from where they lie: those shipped with us, and an agency's own, signed with its own key."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from bot.settings import SettingsError
from policy.cases import untold
from policy.pack import Pack, PackError, Sealed, gathered, parse, place_of

SHIPPED = resources.files("policy") / "packs"


def load_pack(name: str, folder: Path | None = None, key: Path | None = None) -> tuple[Pack, str]:
    """The pack, and the text that says everything it says. An agency's folder goes before what is shipped.

    PackError where it is altered, unsigned or says what a pack cannot; SettingsError where there is none.
    """

    def read(one: str) -> Sealed:
        own = folder is not None and (folder / f"{one}.toml").is_file()
        place, trusted = (folder, key) if own else (SHIPPED, SHIPPED / "leadgate.pub")
        if place is None or trusted is None:
            raise SettingsError("LEADGATE_PACK_KEY: the public key that signed the agency's packs is needed")
        return _sealed(place, trusted, one)

    text = gathered(name, read)
    pack = parse(text, f"{name}.toml")
    _can_be_told(pack, text)
    return pack, text


def _can_be_told(pack: Pack, text: str) -> None:
    """Every case is in words that mean something; whether it holds is for `leadgate policy check`."""
    for number, case in enumerate(pack.cases):
        for key, words in untold(case).items():
            at = place_of(text, f"{pack.name}.toml", ("cases", number, key))
            raise PackError(f"{at}: cases.{number}.{key}: unknown-words: “{words}” is not among what a case can say")


def shipped() -> list[str]:
    """The names of the packs that come with us; what they build on is not one of them."""
    names = (file.name.removesuffix(".toml") for file in SHIPPED.iterdir() if file.name.endswith(".toml"))
    return sorted(name for name in names if name != "desk")


def _sealed(place: Traversable, trusted: Traversable, name: str) -> Sealed:
    file, signature = place / f"{name}.toml", place / f"{name}.toml.sig"
    if not file.is_file():
        raise SettingsError(f"LEADGATE_PACK: there is no policy pack {name!r}")
    if not signature.is_file():
        raise SettingsError(f"LEADGATE_PACK: {name}.toml is not signed: there is no {name}.toml.sig beside it")
    if not trusted.is_file():
        raise SettingsError(f"LEADGATE_PACK_KEY: there is no key file {trusted.name}")
    return Sealed(file.read_bytes(), _line(signature), _line(trusted))


def _line(file: Traversable) -> str:
    """What stands in a signature or key file, which is one line of text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PackError(f"{file.name}:1: signature: not-utf-8: this is no text, so no signature and no key") from None
