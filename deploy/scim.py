"""A SCIM 2.0 export (RFC 7643, RFC 7644) as the roster takes it: who is in which group has which role.

As identity providers, and Slack's own SCIM API, give it: a list response, or one user. The `id` of a user is the Slack
account. Certification is no part of SCIM and never comes from it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bot.roster import ROLE_OF_GROUP, Member
from policy.model import Role

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ACCOUNT = r"[UW][A-Z0-9]{2,20}"  # of Slack
GIVEN = frozenset(Role) - {Role.SYSTEM}


class ScimError(Exception):
    """The file cannot be used; the message says where. Nothing was changed."""


class Part(BaseModel):
    """What is read of it; providers add attributes of their own, which are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Named(Part):
    formatted: str = ""


class Valued(Part):
    value: str = ""
    display: str = ""


class User(Part):
    id: Annotated[str, Field(pattern=f"^{ACCOUNT}$")]
    user_name: Annotated[str, Field(min_length=1, max_length=200)]
    display_name: str = ""
    name: Named = Named()
    active: bool = True
    groups: tuple[Valued, ...] = ()
    roles: tuple[Valued, ...] = ()


class Response(Part):
    total_results: int
    resources: Annotated[tuple[dict[str, Any], ...], Field(alias="Resources")] = ()


PEOPLE: TypeAdapter[tuple[User, ...]] = TypeAdapter(tuple[User, ...])


def members(untrusted: str) -> list[Member]:
    """Everybody in the export. ScimError where it is none, is cut short, or names an account twice."""
    try:
        found = [_member(user) for user in _users(untrusted)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ScimError(f"{where}: {first['msg']}") from None
    accounts = [member.account for member in found]
    if twice := sorted({account for account in accounts if accounts.count(account) > 1}):
        raise ScimError(f"{', '.join(twice)} stands in it twice")
    return found


def _users(untrusted: str) -> Iterator[User]:
    try:
        said = TypeAdapter(dict[str, Any]).validate_json(untrusted)
    except ValidationError:
        raise ScimError("it is no JSON object") from None
    match said.get("schemas"):
        case [*schemas] if LIST in schemas:
            response = Response.model_validate(said)
            if response.total_results != len(response.resources):
                raise ScimError(
                    f"{len(response.resources)} of {response.total_results} people are in it; ask for all pages"
                )
            yield from PEOPLE.validate_python([one for one in response.resources if USER in one.get("schemas", ())])
        case [*schemas] if USER in schemas:
            yield User.model_validate(said)
        case _:
            raise ScimError(f"it is neither a {LIST} nor a {USER}")


def _member(user: User) -> Member:
    name = user.display_name or user.name.formatted or user.user_name
    return Member(user.id, name, handle(user.user_name), _roles(user) if user.active else frozenset())


def handle(user_name: str) -> str:
    """What a person is called on the roster: the part of an address before the @."""
    return re.sub(r"[^a-z0-9._-]", "-", user_name.partition("@")[0].lower())


def _roles(user: User) -> frozenset[Role]:
    of_groups: Mapping[str, Role] = ROLE_OF_GROUP
    named = {role for group in user.groups if (role := of_groups.get(group.display) or of_groups.get(group.value))}
    said = {Role(one.value) for one in user.roles if one.value in GIVEN}
    return frozenset(named | said)
