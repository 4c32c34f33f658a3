"""One workspace, put together."""

from .clock import Clock, Timings
from .configuration import WorkspaceConfig
from .delivery import Delivery
from .events import Events
from .faults import Faults
from .feed import Feed
from .files import Files
from .hooks import Hooks
from .inputs import Inputs
from .interactivity import Interactivity
from .model import Json, Token
from .posting import Posting
from .rates import Rates
from .shapes import Shapes
from .signed_http import SignedHttp
from .sockets import Sockets
from .state import State
from .views import Triggers, Views


class Workspace:
    """Everything that answers for one team and one installed app. `base` is the address it is reached at."""

    def __init__(self, config: WorkspaceConfig, base: str = "http://127.0.0.1", timings: Timings | None = None) -> None:
        self.config = config
        self.base = base
        self.manifest, self.credentials = config.manifest, config.credentials
        self.clock, self.timings = Clock(), timings or Timings()
        self.state = State(config.people, config.manifest, self.clock, config.state)
        self.shapes = Shapes(self.state, base)
        self.feed, self.faults, self.rates = Feed(), Faults(), Rates(self.clock, self.timings)
        self.sockets = Sockets(self.clock, self.timings, self.state.app)
        self.http: SignedHttp | None = None
        self.delivery = Delivery(self.clock, self.timings, self.faults, self.sockets, self.state.shelf)
        self.events = Events(self.state, self.manifest, self.credentials, self.delivery)
        self.files = Files(self.state, self.clock, self.timings)
        self.posting = Posting(self.state, self.shapes, self.events, self.feed, self.files)
        self.triggers = Triggers(self.clock, self.timings)
        self.views = Views(self.state, self.shapes, self.clock, self.triggers, self.files, self.feed)
        self.hooks = Hooks(self.state, self.posting, self.clock, self.timings, base)
        self.inputs = Inputs(self.files, self.shapes)
        self.interactivity = Interactivity(
            self.state,
            self.shapes,
            self.manifest,
            self.credentials,
            self.delivery,
            self.views,
            self.triggers,
            self.hooks,
            self.inputs,
        )
        self.guide: Json = {}
        self.calls: list[tuple[str, Json]] = []
        self.called = 0  # how often; more than are remembered
        bot = Token(self.credentials.bot_token, "bot", self.state.bot_user, self.manifest.scopes)
        app = Token(self.credentials.app_token, "app", self.state.bot_user, frozenset({"connections:write"}))
        self.tokens: dict[str, Token] = {bot.value: bot, app.value: app}
        if self.manifest.request_url and not self.manifest.socket_mode:
            self.deliver_to(self.manifest.request_url)

    def settle_at(self, base: str) -> None:
        """The address is known only once the port is; everything that writes addresses is told."""
        self.base = self.shapes.base = base
        self.hooks.base = base
        self.files.finish_interrupted()
        self.delivery.resume()

    def deliver_to(self, url: str) -> None:
        """Signed HTTP from now on; an empty `url` goes back to Socket Mode."""
        self.http = SignedHttp(url, self.credentials, self.clock, self.timings) if url else None
        self.delivery.transport = self.http or self.sockets

    async def close(self) -> None:
        await self.delivery.close()
        await self.files.close()
        await self.sockets.close()
        if self.http:
            await self.http.close()
        self.state.shelf.close()
