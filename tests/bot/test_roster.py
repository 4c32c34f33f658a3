"""The roster, as Slack's user groups have it."""

import json

import pytest

from bot import ledger, people, roster
from bot.roster import Member, apply, members
from deploy import scim
from deploy.roster import RosterError
from policy.model import Role
from tests import story as s

TEAM = "T1"
GROUPS = [
    {"handle": "face-requesters", "users": ["U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8"]},
    {"handle": "face-examiners", "users": ["U2"]},
    {"handle": "everybody", "users": ["U9"]},
    {"handle": "face-supervisors", "users": ["U9"], "date_delete": 1760000000},
]
BARRED = {
    "U3": {"deleted": True},
    "U4": {"is_restricted": True},
    "U5": {"is_stranger": True},
    "U6": {"team_id": "T2"},
    "U7": {"is_bot": True},
    "U8": {"is_ultra_restricted": True},
}


def user(account):
    return {"id": account, "name": account.lower(), "real_name": account, "team_id": TEAM} | BARRED.get(account, {})


USERS = [user(f"U{n}") for n in range(1, 10)]


def test_roles_follow_the_groups():
    roles = {m.account: m.roles for m in members(USERS, GROUPS, TEAM)}
    assert roles["U1"] == {Role.REQUESTER}
    assert roles["U2"] == {Role.REQUESTER, Role.EXAMINER}


@pytest.mark.parametrize("account", BARRED)
def test_guests_strangers_bots_deactivated_accounts_and_other_teams_are_nobody(account):
    assert {m.account: m.roles for m in members(USERS, GROUPS, TEAM)}[account] == frozenset()


def test_a_disabled_group_and_a_group_that_means_nothing_give_no_role():
    assert {m.account: m.roles for m in members(USERS, GROUPS, TEAM)}["U9"] == frozenset()


async def test_every_change_of_a_role_is_in_the_ledger_and_no_change_is_not(pool):
    both = Member("U2", "Eva", "eva", frozenset({Role.REQUESTER, Role.EXAMINER}))
    none = Member("U2", "Eva", "eva", frozenset())
    async with pool.acquire() as conn, conn.transaction():
        assert await apply(conn, TEAM, both, s.NOON)
        assert not await apply(conn, TEAM, both, s.NOON)
        assert (await people.actor(conn, TEAM, "U2")).roles == both.roles
        assert await apply(conn, TEAM, none, s.NOON)
        assert (await people.actor(conn, TEAM, "U2")).roles == frozenset()
        assert not await apply(conn, TEAM, none, s.NOON)
        entries = await ledger.read(conn, "people")
    assert [(e.data["before"], e.data["after"]) for e in entries] == [
        ([], ["examiner", "requester"]),
        (["examiner", "requester"], []),
    ]


async def test_certification_never_comes_from_slack(pool):
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, people.Person(s.EVA.id, "Eva", s.EVA.roles, s.NEXT_YEAR, TEAM, "U2"))
        await apply(conn, TEAM, Member("U2", "Eva", "eva", frozenset({Role.EXAMINER, Role.SUPERVISOR})), s.NOON)
        actor = await people.actor(conn, TEAM, "U2")
    assert actor.certified_until == s.NEXT_YEAR
    assert set(roster.ROLE_OF_GROUP.values()) == set(Role) - {Role.SYSTEM}


async def test_an_account_that_bears_somebodys_name_is_nobody_until_an_operator_says_whose_it_is(pool):
    """Otherwise whoever renames their account takes over a person with their certification."""
    thief = Member("U7", "Eva", str(s.EVA.id), frozenset({Role.SUPERVISOR}))
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, people.Person(s.EVA.id, "Eva", s.EVA.roles, s.NEXT_YEAR, TEAM, "U2"))
        assert await apply(conn, TEAM, thief, s.NOON)
        assert not await apply(conn, TEAM, thief, s.NOON)
        assert (await people.actor(conn, TEAM, "U7")).roles == frozenset()
        assert (await people.actor(conn, TEAM, "U2")).roles == s.EVA.roles
        (entry,) = await ledger.read(conn, f"account:{TEAM}.U7")
    assert (entry.kind, entry.data["person"]) == ("AccountNotKnown", s.EVA.id)


async def test_an_account_named_as_the_ledger_names_what_is_no_person_is_nobody(pool):
    async with pool.acquire() as conn, conn.transaction():
        await apply(conn, TEAM, Member("U8", "System", "system", frozenset({Role.SUPERVISOR})), s.NOON)
        assert (await people.actor(conn, TEAM, "U8")).roles == frozenset()
        assert [e.kind for e in await ledger.read(conn, f"account:{TEAM}.U8")] == ["AccountNotKnown"]


async def test_whoever_lost_every_role_is_still_named_in_what_they_try(pool):
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, people.Person(s.EVA.id, "Eva", s.EVA.roles, s.NEXT_YEAR, TEAM, "U2"))
        await apply(conn, TEAM, Member("U2", "Eva", "eva", frozenset()), s.NOON)
        actor = await people.actor(conn, TEAM, "U2")
    assert (actor.id, actor.roles) == (s.EVA.id, frozenset())


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({}, ""),
        ({"deleted": True}, "deactivated"),
        ({"is_restricted": True}, "a guest"),
        ({"is_ultra_restricted": True}, "a guest"),
        ({"is_stranger": True}, "of another workspace"),
        ({"team_id": "T2"}, "of another workspace"),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T2", TEAM]}}, ""),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T2", "T3"]}}, "of another workspace"),
        ({"is_bot": True}, "a bot"),
        ({"is_workflow_bot": True}, "a bot"),
        ({"id": "USLACKBOT"}, "a bot"),
    ],
)
def test_what_an_account_is_in_place_of_a_full_member(said, what):
    assert roster.barred(user("U1") | said, TEAM) == what


# --- SCIM -------------------------------------------------------------------------------------------------------------


def of_scim(account="U01EVA", **more):
    return {
        "schemas": [scim.USER],
        "id": account,
        "userName": "Eva.Stone@pd.example",
        "displayName": "Eva Stone",
        "active": True,
        "groups": [{"value": "S01", "display": "face-examiners"}, {"value": "S02", "display": "lunch"}],
        "meta": {"resourceType": "User"},
    } | more


def export(*users, total=None):
    listed = {"schemas": [scim.LIST], "totalResults": len(users) if total is None else total}
    return json.dumps(listed | {"itemsPerPage": 100, "startIndex": 1, "Resources": users})


def test_a_scim_export_says_who_has_which_role():
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "S01"}
    people = [
        of_scim(),
        of_scim(
            "U02", userName="rex", groups=[], roles=[{"value": "executive"}, {"value": "system"}, {"value": "king"}]
        ),
        of_scim("W03", userName="gone", active=False),
        group,
    ]
    assert scim.members(export(*people), TEAM) == [
        Member("U01EVA", "Eva Stone", "eva.stone", frozenset({Role.EXAMINER})),
        Member("U02", "Eva Stone", "rex", frozenset({Role.EXECUTIVE})),
        Member("W03", "Eva Stone", "gone", frozenset()),
    ]
    assert scim.members(json.dumps(of_scim()), TEAM) == scim.members(export(of_scim()), TEAM)


@pytest.mark.parametrize(
    ("untrusted", "why"),
    [
        ("", "no JSON object"),
        ("[]", "no JSON object"),
        ("{}", "neither a"),
        (export(of_scim(), total=2), "1 of 2 people"),
        (export(of_scim(), of_scim()), "resource 2: the account U01EVA stands in resource 1 already"),
        (export(of_scim("2819c223-7f76-453a")), "'2819c223-7f76-453a' is no Slack account"),
        (export(of_scim(userName="")), "userName: String should have at least 1"),
        (export(of_scim(active="perhaps")), "active: "),
        (export(of_scim(userName="System@pd.example")), "'system' is the ledger's name"),
        (export(of_scim(userName="=cmd|calc")), "the id '-cmd-calc' has to be"),
        (export(of_scim(displayName="Eva \u202eenotS")), r"'Eva \\u202eenotS' has characters in it that nobody sees"),
        (export(of_scim("U0\0")), "is no Slack account"),
        (export(), "nobody is in it"),
        (export({"schemas": [scim.USER]}), "resource 1: id: Field required"),
    ],
)
def test_what_is_no_scim_export_changes_nobody(untrusted, why):
    with pytest.raises(RosterError, match=why):
        scim.members(untrusted, TEAM)


def test_everything_that_is_wrong_with_an_export_is_said_at_once():
    with pytest.raises(RosterError) as refused:
        scim.members(export(of_scim("X1"), of_scim(userName="", active="perhaps"), of_scim(displayName="+1")), TEAM)
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [f"resource {n}" for n in (1, 2, 2, 3)]


def test_whoever_has_no_role_may_be_called_anything():
    """An identity provider lists its robots, too."""
    assert scim.members(export(of_scim(userName="_backup", displayName="=1+1", active=False)), TEAM)[0].roles == set()


async def test_whoever_left_in_the_scim_export_has_no_role_and_keeps_the_certification(pool):
    here, gone = scim.members(export(of_scim()), TEAM)[0], scim.members(export(of_scim(active=False)), TEAM)[0]
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, people.Person(s.EVA.id, "Eva", s.EVA.roles, s.NEXT_YEAR, TEAM, "U01EVA"))
        assert await apply(conn, TEAM, gone, s.NOON, ("operator", "SCIM"))
        assert (await people.actor(conn, TEAM, "U01EVA")).roles == frozenset()
        assert await apply(conn, TEAM, here, s.NOON, ("operator", "SCIM"))
        actor = await people.actor(conn, TEAM, "U01EVA")
        entries = await ledger.read(conn, "people")
    assert (actor.id, actor.roles, actor.certified_until) == (s.EVA.id, {Role.EXAMINER}, s.NEXT_YEAR)
    assert [(e.actor, e.data["source"], e.data["after"]) for e in entries] == [
        ("operator", "SCIM", []),
        ("operator", "SCIM", ["examiner"]),
    ]
