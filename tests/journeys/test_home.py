"""The examiner's Home tab in the running system."""

import json

from deploy.demo import play
from tests.journeys.conftest import quiet


async def test_what_waits_for_an_examiner_stands_on_their_home_tab_until_their_opinion_is_locked(town, stranger):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("noor.haddad") as noor:
        _, search = await play.request(dana, town.room("intake"), stranger, quiet)
        root = await play.review_thread(eva, town.room("review"), search)

        async def shown(who, *, there: bool):
            await who.home()

            async def drawn():
                view = await who.home(announce=False)
                return view if view and (search in json.dumps(view)) == there else None

            return await who.wait_for(drawn, 30)

        view = await shown(eva, there=True)
        assert "2026-075" not in json.dumps(view)
        assert "dana" not in json.dumps(view).lower()
        await eva.click(view, "open_worksheet", value=search)
        await eva.wait_view(lambda v: v.get("callback_id") == "worksheet")
        await eva.close_view()
        assert await play.examine(eva, root, None) is None
        await shown(eva, there=False)
        await shown(noor, there=True)
        others = await shown(dana, there=False)
        assert "shown here to examiners" in json.dumps(others)
        assert await play.examine(noor, root, None) is None
        await town.settled(search)
