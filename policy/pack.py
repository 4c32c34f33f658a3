"""A policy pack: what one agency permits, as data, parsed and validated. Reading the file is not our business."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, Self, TypeGuard

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from policy import earlier
from policy.places import Place, line_of
from policy.schema import (
    Ban,
    Candidates,
    Case,
    Certification,
    Code,
    Contradictions,
    Disclosure,
    Emergency,
    Enrolment,
    Evaluation,
    Foils,
    FormField,
    Leads,
    Notices,
    PackError,
    PreApproval,
    ProtectedActivity,
    Purpose,
    Quality,
    Report,
    Repositories,
    Retention,
    Review,
    Rule,
    Sentence,
    Timers,
    wrong,
)
from policy.signing import verify

__all__ = ["FormField", "Pack", "PackError", "Purpose", "Sealed", "gathered", "parse", "place_of"]

BASE = "\n#%% the pack that this one builds on follows\n"
DEEPEST = 4
KEYS = ("code", "name", "of")  # by which an overlay's element replaces one of its base


class Pack(Rule):
    name: Code
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    base: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*@\d+\.\d+\.\d+$")] | None = None
    title: Sentence
    attestation: Sentence
    attestation_source: Sentence | None = None  # none: the pack's own
    narrative_min_chars: Annotated[int, Field(ge=0, le=500)] = 40
    narrative_source: Sentence | None = None  # none: the pack's own
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    common_fields: tuple[FormField, ...] = ()
    bans: tuple[Ban, ...] = ()
    protected_activity: ProtectedActivity | None = None
    review: Review
    foils: Foils | None = None  # none: every examiner compares every candidate
    candidates: Candidates
    quality: Quality
    certification: Certification
    pre_approval: PreApproval
    emergency: Emergency | None = None
    repositories: Repositories
    enrolment: Enrolment = earlier.ENROLMENT
    contradictions: Contradictions = earlier.CONTRADICTIONS
    timers: Timers = earlier.TIMERS
    leads: Leads
    notices: Notices
    evaluation: Evaluation
    retention: tuple[Retention, ...]
    reports: tuple[Report, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    sha256: str = ""

    @property
    def id(self) -> str:
        """The name a search carries for life: name@version."""
        return f"{self.name}@{self.version}"

    def purpose(self, code: str) -> Purpose | None:
        return next((purpose for purpose in self.purposes if purpose.code == code), None)

    def fields(self, purpose: Purpose) -> tuple[FormField, ...]:
        """Every question the form asks for this purpose, its own first, each with the answers it may have here."""
        return tuple(_narrowed(field, purpose) for field in (*purpose.fields, *self.common_fields))

    @model_validator(mode="after")
    def codes_are_unique(self) -> Self:
        _once("purposes", (purpose.code for purpose in self.purposes))
        for number, purpose in enumerate(self.purposes):
            _questions_once(self.fields(purpose), number)
        _once("bans", (ban.code for ban in self.bans))
        _once("retention", (one.of for one in self.retention))
        _once("reports", (report.code for report in self.reports))
        _once("disclosures", (one.code for one in self.disclosures))
        _once("cases", (case.name for case in self.cases))
        return self

    @model_validator(mode="after")
    def what_is_named_exists(self) -> Self:
        codes = {purpose.code for purpose in self.purposes}
        named = {
            "pre_approval": self.pre_approval.purposes,
            "emergency": self.emergency.purposes if self.emergency else (),
        }
        for table, purposes in named.items():
            if unknown := set(purposes) - codes:
                raise wrong("names-purpose", f"there is no purpose {', '.join(sorted(unknown))}", table, "purposes")
        for number, purpose in enumerate(self.purposes):
            _conditions_exist(self.fields(purpose), number)
            _answers_exist(self.fields(purpose), purpose, number)
            if self.protected_activity:
                _screen_exists(self.fields(purpose), self.protected_activity)
        return self


def _narrowed(field: FormField, purpose: Purpose) -> FormField:
    """The question as this purpose asks it: what is not among its only answers is refused, with the reason."""
    only = next((one for one in purpose.only if one.field == field.name), None)
    if only is None:
        return field
    refused = {code: only.because for code in field.options if code not in only.answers}
    return field.model_copy(update={"refuses": refused | field.refuses})


def _answers_exist(fields: tuple[FormField, ...], purpose: Purpose, number: int) -> None:
    asked = {field.name: field for field in fields}
    for at, only in enumerate(purpose.only):
        field = asked.get(only.field)
        if field is None or not set(only.answers) <= field.options.keys() - field.refuses.keys():
            said = f"purpose {purpose.code!r} allows only answers to {only.field!r} that nobody can give"
            raise wrong("names-field", said, "purposes", number, "only", at)


def _once(table: str, codes: Iterable[str]) -> None:
    seen: set[str] = set()
    for number, code in enumerate(codes):
        if code in seen:
            raise wrong("duplicate-code", f"{code!r} stands twice among the {table}", table, number)
        seen.add(code)


OF_THE_DESK = frozenset({"repositories", "repositories-reason"})  # policy/intake.py


def _questions_once(fields: tuple[FormField, ...], purpose: int) -> None:
    names = [field.name for field in fields]
    if twice := {name for name in names if names.count(name) > 1}:
        raise wrong("duplicate-code", f"{', '.join(sorted(twice))} is asked twice", "purposes", purpose)
    if taken := OF_THE_DESK & set(names):
        raise wrong("duplicate-code", f"{', '.join(sorted(taken))} is asked by the desk itself", "purposes", purpose)


def _conditions_exist(fields: tuple[FormField, ...], purpose: int) -> None:
    options = {field.name: field.options for field in fields}
    for field in fields:
        if field.when and field.when.says not in options.get(field.when.field, {}):
            said = f"field {field.name!r} waits for an answer that nobody can give"
            raise wrong("names-field", said, "purposes", purpose)


def _screen_exists(fields: tuple[FormField, ...], screen: ProtectedActivity) -> None:
    options = {field.name: field.options for field in fields}
    kinds = {field.name: field.kind for field in fields}
    if screen.says not in options.get(screen.field, {}) or kinds.get(screen.statement) != "narrative":
        raise wrong("names-field", "its question or its statement is not asked", "protected_activity")


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sealed:
    """A pack's file as it was read, its signature, and the key that is trusted to have signed it."""

    text: bytes
    signature: str
    trusted: str


def gathered(name: str, read: Callable[[str], Sealed]) -> str:
    """The text of the pack `name` and of every pack it builds on, as `parse` takes it; each is signed, or PackError."""
    texts: list[str] = []
    while name:
        if len(texts) == DEEPEST:
            raise PackError(f"{name}.toml:1: base: names-base: packs build on each other more than {DEEPEST} deep")
        file = read(name)
        verify(file.text, name, file.signature, file.trusted)
        texts.append(_decoded(file.text, name))
        data = _toml(texts[-1], f"{name}.toml")
        _is_named(data, f"{name}.toml")
        if (called := data["name"]) != name:
            at = line_of(texts[-1], ("name",))
            raise PackError(f"{name}.toml:{at}: name: names-file: the file is called {name!r}, the pack {called!r}")
        name = str(data.get("base", "")).partition("@")[0]
    return BASE.join(texts)


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        at = text.count(b"\n", 0, error.start) + 1
        raise PackError(f"{name}.toml:{at}: pack: not-utf-8: this line holds bytes that are no UTF-8 text") from None


def parse(text: str, name: str) -> Pack:
    """The pack that `text` says; PackError names file, line and rule where it says none.

    `text` is one TOML document, or an overlay and what it builds on as `gathered` joins them: it says everything, and
    is what is kept with a search. `name` is the file's, for messages.
    """
    layers = _layers(text, name)
    data = _laid_together(layers)
    try:
        pack = Pack.model_validate(data)
    except ValidationError as error:
        raise PackError(_told(error.errors(include_url=False), data, layers)) from error
    return pack.model_copy(update={"sha256": hashlib.sha256(text.encode()).hexdigest()})


def place_of(text: str, name: str, place: Place) -> str:
    """The file and line where `place` of the pack stands; `text` and `name` are as `parse` takes them."""
    layers = _layers(text, name)
    file, line = _located(place, _laid_together(layers), layers)
    return f"{file}:{line}"


def _laid_together(layers: list["Layer"]) -> dict[str, Any]:
    """What the documents say together, the overlay over what it builds on."""
    data: dict[str, Any] = {}
    for layer in reversed(layers):
        data = _merged(data, layer.data)
    return data


@dataclass(frozen=True, slots=True)
class Layer:
    """One TOML document of those a pack consists of."""

    file: str
    text: str
    data: dict[str, Any]


def _layers(text: str, name: str) -> list[Layer]:
    """The documents, the overlay first. Each base is the very version that was built on."""
    layers: list[Layer] = []
    for document in text.split(BASE):
        wanted = layers[-1].data.get("base") if layers else None
        file = f"{str(wanted).partition('@')[0]}.toml" if layers else name
        data = _toml(document, file)
        if layers and wanted != (found := f"{data.get('name')}@{data.get('version')}"):
            _base_is_missing(layers[-1], found)
        layers.append(Layer(file, document, data))
    if "base" in layers[-1].data:
        _base_is_missing(layers[-1], "nothing")
    return layers


def _is_named(data: dict[str, Any], file: str) -> None:
    """A pack that does not say its own name and version would go by those of what it builds on.

    Asked of files that are to be searched under, and not of what was searched under already: that reads for ever.
    """
    for key in ("name", "version"):
        if key not in data:
            raise PackError(f"{file}:1: {key}: missing-key: the key {key!r} is required here")


def _base_is_missing(layer: Layer, found: str) -> NoReturn:
    at = line_of(layer.text, ("base",))
    raise PackError(f"{layer.file}:{at}: base: names-base: it builds on {layer.data.get('base')!r}; there is {found}")


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise PackError(f"{file}:{line[1] if line else 1}: pack: not-toml: {error}") from error


def _merged(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {**below, **{key: _laid(below.get(key), value) for key, value in over.items()}}


def _laid(below: Any, over: Any) -> Any:
    if isinstance(below, dict) and isinstance(over, dict):
        return _merged(below, over)
    if _are_tables(below) and _are_tables(over):
        return _merged_tables(below, over)
    return over


def _are_tables(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _merged_tables(below: list[dict[str, Any]], over: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Elements of the same code are laid over each other where the base has them; new ones follow."""
    known = {_key(one) for one in below}
    replacing: dict[str | None, dict[str, Any]] = {}
    new = [one for one in over if _key(one) not in known or replacing.setdefault(_key(one), one) is not one]
    return [*(_merged(one, replacing.get(_key(one), {})) for one in below), *new]


def _key(table: Mapping[str, Any]) -> str | None:
    return next((str(table[key]) for key in KEYS if key in table), None)


# --- what is wrong, for whoever mends it ----------------------------------------------------------------------------


def _told(errors: list[ErrorDetails], data: dict[str, Any], layers: list[Layer]) -> str:
    """The first thing wrong, with file, line and rule; how many more there are."""
    loc, rule, said = _rule(errors[0])
    place = ".".join(str(part) for part in loc)
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    file, line = _located(loc, data, layers)
    return f"{file}:{line}: {place}: {rule}: {said}{more}"


def _located(loc: Place, data: dict[str, Any], layers: list[Layer]) -> tuple[str, int]:
    """The file and line of what stands at `loc` of the merged pack."""
    for layer in layers:
        if loc[0] in layer.data and (place := _place_in(layer, loc, data)):
            return layer.file, line_of(layer.text, place)
    return layers[0].file, 1


def _place_in(layer: Layer, loc: Place, data: dict[str, Any]) -> Place | None:
    """`loc` as this layer counts: elements of the merged pack are found by their codes."""
    match loc:
        case (str(table), int(number), *rest):
            code = _key(data[table][number])
            again = sum(_key(one) == code for one in data[table][:number])
            at = [n for n, one in enumerate(layer.data[table]) if _key(one) == code]
            return (table, at[min(again, len(at) - 1)], *rest) if at else None
        case _:
            return loc


def _rule(error: ErrorDetails) -> tuple[Place, str, str]:
    """Where it is, the rule, and what is wrong in words."""
    match error:
        case {"type": "pack", "loc": loc, "msg": said, "ctx": {"rule": str(rule), "place": place}}:
            return loc or place, rule, said
        case {"type": "extra_forbidden", "loc": (*_, key)}:
            return error["loc"], "unknown-key", f"there is no key {key!r} here"
        case {"type": "missing", "loc": (*_, "source")}:
            return error["loc"], "missing-citation", "every rule says where it is from: source = …"
        case {"type": "missing", "loc": (*_, key)}:
            return error["loc"], "missing-key", f"the key {key!r} is required here"
        case _:
            return error["loc"], error["type"].replace("_", "-"), error["msg"]
