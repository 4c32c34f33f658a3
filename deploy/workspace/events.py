"""What happened, told to the app: only what its manifest subscribed to, and only from channels its bot is in."""

from .configuration import Credentials, Manifest
from .delivery import Delivery, Envelope
from .model import Channel, Json
from .state import State

CHANNEL_TYPE = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
MESSAGE_EVENT = {"public": "message.channels", "private": "message.groups", "im": "message.im", "mpim": "message.mpim"}
CHANNEL_EVENTS = ("archive", "unarchive", "rename", "deleted", "left")


class Events:
    """Turns a happening into the Events API's envelope and sends it."""

    def __init__(self, state: State, manifest: Manifest, credentials: Credentials, delivery: Delivery) -> None:
        self._state, self._manifest, self._credentials, self._delivery = state, manifest, credentials, delivery

    def message(self, channel: Channel, body: Json) -> None:
        """A message event of any subtype, in a channel the bot is in."""
        if self._state.bot_user in channel.members:
            body = body | {"channel": channel.id, "channel_type": CHANNEL_TYPE[channel.kind]}
            self._tell(MESSAGE_EVENT[channel.kind], body)
            mention = f"<@{self._state.bot_user}>"
            if (
                mention in body.get("text", "")
                and body.get("subtype") in {None, "file_share"}
                and not body.get("bot_id")
            ):
                self._tell(
                    "app_mention", {k: v for k, v in body.items() if k != "channel_type"} | {"type": "app_mention"}
                )

    def in_channel(self, channel: Channel, body: Json) -> None:
        """Something that is told to members only."""
        if self._state.bot_user in channel.members:
            self._tell(body["type"], body)

    def channel_changed(self, channel: Channel, what: str, **more: object) -> None:
        """`archive`, `rename`, `deleted`…: private channels have their own event names."""
        prefix = "channel" if channel.kind == "public" else "group"
        if channel.kind == "public" or self._state.bot_user in channel.members:
            self._tell(f"{prefix}_{what}", {"type": f"{prefix}_{what}", "channel": channel.id, **more})

    def anywhere(self, body: Json) -> None:
        """Something about the whole workspace."""
        self._tell(body["type"], body)

    def _tell(self, subscription: str, body: Json) -> None:
        if subscription not in self._manifest.events:
            return
        state, now = self._state, self._state.clock.now()
        event = body | {"event_ts": body.get("event_ts") or body.get("ts") or f"{now:.6f}"}
        channel = state.channels.get(str(body.get("channel") or body.get("channel_id") or ""))
        envelope: Json = {
            "token": self._credentials.verification_token,
            "team_id": state.team,
            "context_team_id": state.team,
            "context_enterprise_id": None,
            "api_app_id": state.app,
            "event": event,
            "type": "event_callback",
            "event_id": state.next_id("Ev"),
            "event_time": int(now),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": state.team,
                    "user_id": state.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(channel and channel.ext_shared),
            "event_context": f"4-{state.next_id('Ec')}",
        }
        self._delivery.post(Envelope("events_api", body["type"], envelope))
