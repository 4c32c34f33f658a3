"""What people do with what an app posted: clicks, forms, shortcuts, commands, menus; each in Slack's own payload.

Source: docs.slack.dev/reference/interaction-payloads; the published samples (java-slack-sdk json-logs).
"""

from typing import Any

from .blocks import elements_of
from .configuration import Credentials, Manifest
from .delivery import Ack, Delivery, Envelope, NotAcknowledged
from .hooks import Hooks
from .inputs import ANSWER_FIELD, STATELESS, Inputs, refusals
from .model import Channel, Json, Message, SlackError, User, View
from .shapes import Shapes
from .state import State
from .views import Triggers, Views

TROUBLE = "We had some trouble connecting. Try again?"


class Interactivity:
    def __init__(
        self,
        state: State,
        shapes: Shapes,
        manifest: Manifest,
        credentials: Credentials,
        delivery: Delivery,
        views: Views,
        triggers: Triggers,
        hooks: Hooks,
        inputs: Inputs,
    ) -> None:
        self._state, self._shapes, self._manifest, self._credentials = state, shapes, manifest, credentials
        self._delivery, self._views, self._triggers, self._hooks, self._inputs = (
            delivery,
            views,
            triggers,
            hooks,
            inputs,
        )
        self._offered: dict[str, list[Json]] = {}

    # -- clicks ------------------------------------------------------------------------------------------------

    async def act_in_message(self, user: User, message: Message, block_id: str, action_id: str, simple: Any) -> None:
        """A click or a choice in a message, by somebody who can see it."""
        block, element = _locate(message.blocks or [], block_id, action_id)
        form = message.form.setdefault(user.id, {})
        action = self._action(user, block, element, simple)
        self._remember(form, block, element, simple, user)
        values = self._inputs.values(message.blocks or [], form, {}, user.id, self._offered.get(user.id, []))
        channel = self._state.channel(message.channel)
        payload = self._head("block_actions", user) | {
            "container": self._message_container(message),
            "trigger_id": self._triggers.issue(user.id),
            "channel": self._shapes.place(channel),
            "state": {"values": values},
            "response_url": self._hooks.issue(user.id, channel.id, message),
            "actions": [action],
        }
        if message.ephemeral_for is None:
            payload["message"] = self._shapes.message(message)
        await self._send(payload)

    async def act_in_view(self, user: User, view: View, block_id: str, action_id: str, simple: Any, form: Json) -> None:
        """A click or a choice in a modal or the Home tab; `form` is what else stands in its inputs."""
        block, element = _locate(view.body["blocks"], block_id, action_id)
        action = self._action(user, block, element, simple)
        offered = self._offered.get(user.id, [])
        known = view.values
        self._remember(known, block, element, simple, user)
        view.values = self._inputs.values(view.body["blocks"], known, form, user.id, offered)
        payload = self._head("block_actions", user) | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self._triggers.issue(user.id, view.id),
            "view": self._shapes.view(view),
            "actions": [action],
        }
        await self._send(payload)

    def _remember(self, form: Json, block: Json, element: Json, simple: Any, user: User) -> None:
        if element["type"] not in STATELESS:
            answer = self._inputs.answer(element, simple, user.id, self._offered.get(user.id, []))
            form.setdefault(block["block_id"], {})[element["action_id"]] = answer

    def _action(self, user: User, block: Json, element: Json, simple: Any) -> Json:
        stamp = f"{self._state.clock.now():.6f}"
        base: Json = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"]}
        if element["type"] == "button":
            parts = {k: element[k] for k in ("text", "value", "style", "url") if k in element}
            return base | parts | {"action_ts": stamp}
        answer = self._inputs.answer(element, simple, user.id, self._offered.get(user.id, []))
        extra = {k: element[k] for k in ("placeholder", "initial_option") if k in element}
        return base | answer | extra | {"action_ts": stamp}

    def _message_container(self, message: Message) -> Json:
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": message.ephemeral_for is not None,
        }
        return container | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    # -- forms -------------------------------------------------------------------------------------------------

    async def submit(self, user: User, view: View, simple: Json) -> dict[str, str]:
        """Send the form; what is wrong with it by block id, from Slack's client or from the app."""
        if not view.body.get("submit"):
            raise SlackError("view_has_no_submit")
        values = self._inputs.values(view.body["blocks"], view.values, simple, user.id, self._offered.get(user.id, []))
        view.values = values
        if found := refusals(view.body["blocks"], values):
            return found
        self._hand_over_files(values)
        payload = self._head("view_submission", user) | {
            "trigger_id": self._triggers.issue(user.id, view.id),
            "view": self._shapes.view(view),
            "response_urls": self._asked_for(user, view, values),
        }
        match await self._delivery.ask(Envelope("interactive", "view_submission", payload, takes_response=True)):
            case NotAcknowledged():
                raise SlackError("operation_timed_out", TROUBLE)
            case Ack(answer):
                return await self._follow(user, view, answer)

    def _hand_over_files(self, values: Json) -> None:
        for actions in values.values():
            for answer in actions.values():
                for body in answer.get("files") or []:
                    file = self._state.files[body["id"]]
                    file.granted = [*file.granted, self._state.bot_user]
                    self._state.keep(file)

    def _asked_for(self, user: User, view: View, values: Json) -> list[Json]:
        """A response address for each channel that a `response_url_enabled` menu named."""
        found: list[Json] = []
        for block in view.body["blocks"]:
            for element in elements_of(block):
                if element.get("response_url_enabled"):
                    answer = values[block["block_id"]][element["action_id"]]
                    channel = answer.get(ANSWER_FIELD[element["type"]])
                    if channel:
                        where = {
                            "block_id": block["block_id"],
                            "action_id": element["action_id"],
                            "channel_id": channel,
                        }
                        found.append(where | {"response_url": self._hooks.issue(user.id, channel)})
        return found

    async def _follow(self, user: User, view: View, untrusted: Any) -> dict[str, str]:
        """What the app's answer does to the stack. An answer Slack cannot read is trouble, and the modal stays."""
        answer = untrusted if isinstance(untrusted, dict) else {}
        match answer.get("response_action"):
            case None:
                self._views.pop(user.id)
            case "clear":
                self._views.clear(user.id)
            case "errors":
                return _readable_errors(view, answer.get("errors"))
            case "update":
                self._views.update(answer.get("view"), view_id=view.id)
            case "push":
                self._views.push_for(user.id, answer.get("view"))
            case other:
                raise SlackError("invalid_response", f"{TROUBLE} ({other} is not a response_action)")
        return {}

    async def close(self, user: User, *, everything: bool = False) -> None:
        """The person closes the top modal, or the whole stack; the app hears of those that asked to be told."""
        top = self._views.top(user.id)
        if top is None:
            return
        clears = everything or bool(top.body.get("clear_on_close"))
        closed = self._views.clear(user.id) if clears else [top]
        if not clears:
            self._views.pop(user.id)
        for view in reversed(closed):
            if view.body.get("notify_on_close"):
                payload = self._head("view_closed", user) | {"view": self._shapes.view(view), "is_cleared": clears}
                await self._delivery.ask(Envelope("interactive", "view_closed", payload))

    # -- shortcuts, commands, menus ----------------------------------------------------------------------------

    async def shortcut(self, user: User, callback_id: str, message: Message | None) -> None:
        wanted = "message" if message else "global"
        if not any(s.callback_id == callback_id and s.type == wanted for s in self._manifest.shortcuts):
            raise SlackError("shortcut_not_found")
        stamp = {"action_ts": f"{self._state.clock.now():.6f}", "callback_id": callback_id}
        kind = "message_action" if message else "shortcut"
        payload: Json = self._head(kind, user) | stamp | {"trigger_id": self._triggers.issue(user.id)}
        if message:
            channel = self._state.channel(message.channel)
            payload = {k: v for k, v in payload.items() if k != "api_app_id"}
            payload |= {
                "user": {k: v for k, v in payload["user"].items() if k != "username"},
                "channel": self._shapes.place(channel),
                "response_url": self._hooks.issue(user.id, channel.id, message),
                "message_ts": message.ts,
                "message": self._shapes.message(message),
            }
        await self._send(payload)

    async def command(self, user: User, channel: Channel, command: str, text: str) -> None:
        if not any(c.command == command for c in self._manifest.commands):
            raise SlackError("dispatch_unknown_command", f"{command} is not a valid command.")
        payload: Json = {
            "token": self._credentials.verification_token,
            "team_id": self._state.team,
            "team_domain": self._state.team_domain,
            "channel_id": channel.id,
            "channel_name": self._shapes.place(channel)["name"],
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self._state.app,
            "is_enterprise_install": "false",
            "response_url": self._hooks.issue(user.id, channel.id),
            "trigger_id": self._triggers.issue(user.id),
        }
        match await self._delivery.ask(Envelope("slash_commands", command, payload, takes_response=True)):
            case NotAcknowledged():
                raise SlackError("operation_timed_out", f"{command} failed with the error operation_timed_out")
            case Ack(answer):
                if answer:
                    self._hooks.answer_now(user.id, channel.id, answer)

    async def suggest(
        self, user: User, holder: Message | View, block_id: str, action_id: str, typed: str
    ) -> list[Json]:
        """The options an external menu offers for what was typed."""
        blocks: list[Json] = (holder.blocks or []) if isinstance(holder, Message) else holder.body["blocks"]
        block, element = _locate(blocks, block_id, action_id)
        place: Json
        if isinstance(holder, Message):
            channel = self._state.channel(holder.channel)
            place = {"container": self._message_container(holder), "message": self._shapes.message(holder)}
            place |= {"channel": self._shapes.place(channel)}
        else:
            place = {"container": {"type": "view", "view_id": holder.id}, "view": self._shapes.view(holder)}
        what = {"action_id": element["action_id"], "block_id": block["block_id"], "value": typed}
        payload = self._head("block_suggestion", user) | place | what
        match await self._delivery.ask(Envelope("interactive", "block_suggestion", payload, takes_response=True)):
            case NotAcknowledged():
                raise SlackError("operation_timed_out")
            case Ack(answer):
                body: Json = answer if isinstance(answer, dict) else {}
                options: list[Json] = body.get("options") or []
                options = options or [o for g in body.get("option_groups") or [] for o in g["options"]]
                self._offered[user.id] = [*self._offered.get(user.id, []), *options][-500:]
                return options

    # -- what they share ---------------------------------------------------------------------------------------

    def _head(self, kind: str, user: User) -> Json:
        return {
            "type": kind,
            "user": self._shapes.whose(user),
            "api_app_id": self._state.app,
            "token": self._credentials.verification_token,
            "team": self._shapes.team(),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    async def _send(self, payload: Json) -> None:
        match await self._delivery.ask(Envelope("interactive", payload["type"], payload)):
            case NotAcknowledged():
                raise SlackError("operation_timed_out", TROUBLE)
            case Ack():
                return


def _locate(blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json]:
    """The block and the element somebody acted on, as they stand now and not as they stood when the page was drawn."""
    for block in blocks:
        if block_id and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    raise SlackError("action_not_found", "That button or field is not there any more.")


def _readable_errors(view: View, untrusted: Any) -> dict[str, str]:
    inputs = {b["block_id"] for b in view.body["blocks"] if b["type"] == "input"}
    if not isinstance(untrusted, dict) or not untrusted or not set(untrusted) <= inputs:
        raise SlackError("invalid_response", f"{TROUBLE} (the errors name no input of this view)")
    return {str(k): str(v) for k, v in untrusted.items()}
