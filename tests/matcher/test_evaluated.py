"""A pack that asks for an evaluated model gets one, or nothing is searched (M45)."""

from contextlib import nullcontext
from dataclasses import replace

import aiohttp
import pytest

from bot.app import check_model
from bot.matching import Matcher
from bot.settings import SettingsError
from policy import evaluated
from policy import model as m
from policy.schema import Evaluation
from tests import story as s
from tests.matcher.conftest import SECRET

ASKED = Evaluation(source="a statute", nist_required=True, lowest_true_positive_rate=0.98)


@pytest.mark.parametrize(
    ("asked", "found", "why"),
    [
        (ASKED, {}, "NIST has evaluated"),
        (ASKED, {"lfw_rank1": 0.99}, "NIST has evaluated"),
        (ASKED, {evaluated.LOWEST: 0.9799}, "at least 98%"),
        (ASKED, {evaluated.LOWEST: 98.0}, "at least 98%"),  # per cent: not a rate
        (ASKED, {evaluated.LOWEST: float("nan")}, "at least 98%"),
        (ASKED, {evaluated.LOWEST: 0.98}, None),
        (ASKED.model_copy(update={"lowest_true_positive_rate": None}), {evaluated.LOWEST: 0.5}, None),
        (ASKED.model_copy(update={"nist_required": False}), {}, None),
    ],
)
def test_what_a_pack_asks_of_the_model(asked, found, why):
    said = evaluated.unmet(asked, found)
    assert said is None if why is None else why in said


def test_what_an_unevaluated_model_saw_is_never_searched():
    pack = s.pack("virginia-2026")
    search, _ = s.tell([(s.ASK, s.DANA), (replace(s.SEEN, evaluation={}), s.SYSTEM)], pack)
    assert (search.state, search.outcome) == (m.State.CLOSED, m.Outcome.REJECTED)
    assert "NIST" in search.reason


@pytest.mark.parametrize(("name", "refused"), [("nypd-2020", False), ("virginia-2026", True)])
async def test_the_start_stops_where_the_pack_does_not_allow_the_matchers_model(matcher, name, refused):
    async with aiohttp.ClientSession() as session:
        told = pytest.raises(SettingsError, match="yunet-sface: The policy allows only") if refused else nullcontext()
        with told:
            await check_model(Matcher(session, matcher.url, SECRET), s.pack(name))


async def test_a_matcher_that_is_away_does_not_stop_the_start():
    async with aiohttp.ClientSession() as session:
        await check_model(Matcher(session, "http://127.0.0.1:9", "x"), s.pack("virginia-2026"))
