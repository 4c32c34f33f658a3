"""A SCIM 2.0 export (RFC 7643, RFC 7644) as the roster takes it: who is in which group has which role.

As identity providers, and Slack's own SCIM API, give it: a list response, or one user. The `id` of a user is the Slack
account. Certification is no part of SCIM and never comes from it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from bot.roster import ROLE_OF_GROUP, Member
from deploy import roster
from deploy.roster import GIVEN, RosterError
from policy.model import Role

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class Part(BaseModel):
    """What is read of it; providers add attributes of their own, which are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Named(Part):
    formatted: str = ""


class Valued(Part):
    value: str = ""
    display: str = ""


class User(Part):
    id: str
    user_name: Annotated[str, Field(min_length=1, max_length=200)]
    display_name: str = ""
    name: Named = Named()
    active: bool = True
    groups: tuple[Valued, ...] = ()
    roles: tuple[Valued, ...] = ()


class Response(Part):
    total_results: int
    resources: Annotated[tuple[dict[str, Any], ...], Field(alias="Resources")] = ()


def members(untrusted: str, team: str) -> list[Member]:
    """Everybody in the export. RosterError where it is none, is cut short, or has anybody in it who cannot be taken."""
    found: list[tuple[str, Member]] = []
    problems: list[str] = []
    for where, one in _users(untrusted):
        try:
            member = _member(User.model_validate(one))
        except ValidationError as error:
            problems += [f"{where}: {_said(problem)}" for problem in error.errors()]
            continue
        problems += [f"{where}: {problem}" for problem in _wrong(member, team)]
        found.append((where, member))
    problems += roster.twice((where, f"the account {member.account}") for where, member in found)
    if not found and not problems:
        problems.append("nobody is in it")
    if problems:
        raise RosterError(*problems)
    return [member for _, member in found]


def _wrong(member: Member, team: str) -> Iterator[str]:
    """What is wrong with somebody; of those without a role nothing is written, whatever they are called."""
    yield from roster.of_account(team, member.account)
    if member.roles:
        yield from roster.of_words("name", member.name)
        yield from roster.of_id(member.handle)


def _said(problem: ErrorDetails) -> str:
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"


def _users(untrusted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, the user) of every user."""
    try:
        said = TypeAdapter(dict[str, Any]).validate_json(untrusted)
    except ValidationError:
        raise RosterError("it is no JSON object") from None
    match said.get("schemas"):
        case [*schemas] if LIST in schemas:
            yield from _listed(said)
        case [*schemas] if USER in schemas:
            yield "the user", said
        case _:
            raise RosterError(f"it is neither a {LIST} nor a {USER}")


def _listed(said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        response = Response.model_validate(said)
    except ValidationError as error:
        raise RosterError(*map(_said, error.errors())) from None
    if response.total_results != len(response.resources):
        raise RosterError(f"{len(response.resources)} of {response.total_results} people are in it; ask for all pages")
    for number, one in enumerate(response.resources, start=1):
        match one.get("schemas"):
            case [*schemas] if USER in schemas:
                yield f"resource {number}", one
            case _:
                pass


def _member(user: User) -> Member:
    name = user.display_name or user.name.formatted or user.user_name
    return Member(user.id, name.strip(), handle(user.user_name), _roles(user) if user.active else frozenset())


def handle(user_name: str) -> str:
    """What a person is called on the roster: the part of an address before the @."""
    return re.sub(r"[^a-z0-9._-]", "-", user_name.partition("@")[0].lower())


def _roles(user: User) -> frozenset[Role]:
    of_groups: Mapping[str, Role] = ROLE_OF_GROUP
    named = {role for group in user.groups if (role := of_groups.get(group.display) or of_groups.get(group.value))}
    said = {Role(one.value) for one in user.roles if one.value in GIVEN}
    return frozenset(named | said)
