"""How Slack writes a thing down as JSON: who reads these cannot tell them from Slack's."""

from urllib.parse import quote

from .model import Channel, File, Group, Json, Message, User, View
from .state import State

THUMBNAILS = (64, 80, 160, 360, 480, 720, 800, 960, 1024)
SQUARE = (64, 80, 160)
PICTURE_TYPES = ("jpg", "png", "gif", "webp", "heic", "bmp", "tiff")


class Shapes:
    """Slack's JSON of this workspace's things. `base` is the address the workspace answers at."""

    def __init__(self, state: State, base: str) -> None:
        self.state = state
        self.base = base

    # -- people ------------------------------------------------------------------------------------------------

    def user(self, user: User) -> Json:
        first, _, last = user.real_name.partition(" ")
        body: Json = {
            "id": user.id,
            "team_id": user.team or self.state.team,
            "name": user.name,
            "deleted": user.deleted,
            "updated": user.updated,
            "is_bot": user.is_bot,
            "is_app_user": False,
            "profile": {
                "title": user.title,
                "phone": "",
                "skype": "",
                "real_name": user.real_name,
                "real_name_normalized": user.real_name,
                "display_name": user.name,
                "display_name_normalized": user.name,
                "status_text": "",
                "status_emoji": "",
                "status_expiration": 0,
                "avatar_hash": f"g{user.id[-11:].lower()}",
                "first_name": first,
                "last_name": last,
                "team": user.team or self.state.team,
                **{f"image_{n}": f"{self.base}/_ui/avatars/{user.id}.svg" for n in (24, 32, 48, 72, 192, 512)},
            },
        }
        if user.is_bot:
            body["profile"] |= {"bot_id": user.bot_id, "api_app_id": user.app_id, "always_active": True}
        if user.deleted:
            return body
        return body | {
            "color": "4bbe2e",
            "real_name": user.real_name,
            "tz": user.tz,
            "tz_label": "Eastern Standard Time",
            "tz_offset": -18000,
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": user.is_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "is_email_confirmed": True,
            "who_can_share_contact_card": "EVERYONE",
        }

    def group(self, group: Group, *, with_users: bool = False) -> Json:
        body: Json = {
            "id": group.id,
            "team_id": self.state.team,
            "is_usergroup": True,
            "is_subteam": True,
            "name": group.name,
            "description": "",
            "handle": group.handle,
            "is_external": False,
            "date_create": group.updated,
            "date_update": group.updated,
            "date_delete": group.updated if group.disabled else 0,
            "auto_type": None,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": self.state.bot_user,
            "updated_by": self.state.bot_user,
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
            "user_count": len(group.members),
        }
        return body | ({"users": list(group.members)} if with_users else {})

    # -- channels ----------------------------------------------------------------------------------------------

    def channel(self, channel: Channel, viewer: str) -> Json:
        common: Json = {
            "id": channel.id,
            "created": channel.created,
            "is_archived": channel.archived,
            "is_im": channel.kind == "im",
            "is_org_shared": False,
            "context_team_id": self.state.team,
            "updated": channel.created * 1000,
        }
        if channel.kind == "im":
            other = next((m for m in channel.members if m != viewer), viewer)
            deleted = self.state.users[other].deleted if other in self.state.users else True
            return common | {"user": other, "is_user_deleted": deleted, "is_open": True, "priority": 0}
        private = channel.kind != "public"
        return common | {
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": True,
            "is_group": False,
            "is_mpim": channel.kind == "mpim",
            "is_private": private,
            "is_general": False,
            "is_shared": channel.ext_shared,
            "is_ext_shared": channel.ext_shared,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "pending_connected_team_ids": [],
            "shared_team_ids": [self.state.team],
            "previous_names": [],
            "unlinked": 0,
            "parent_conversation": None,
            "creator": channel.creator,
            "is_member": viewer in channel.members,
            "topic": {"value": channel.topic, "creator": "", "last_set": 0},
            "purpose": {"value": channel.purpose, "creator": channel.creator, "last_set": channel.created},
            "num_members": len(channel.members),
        }

    def place(self, channel: Channel) -> Json:
        """The channel as interactions name it: Slack hides private names here."""
        names = {"private": "privategroup", "im": "directmessage", "mpim": channel.name, "public": channel.name}
        return {"id": channel.id, "name": names[channel.kind]}

    # -- messages ----------------------------------------------------------------------------------------------

    def message(self, message: Message, *, metadata: bool = False, files: bool = True) -> Json:
        state = self.state
        body: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
        if message.subtype in {"channel_join", "channel_leave", "group_join", "group_leave"}:
            return body | {"subtype": message.subtype} | ({"inviter": message.inviter} if message.inviter else {})
        if message.client_msg_id:
            body["client_msg_id"] = message.client_msg_id
        body["team"] = state.team
        if message.bot_id:
            body |= {"bot_id": message.bot_id, "app_id": message.app_id, "bot_profile": self.bot()}
        if message.blocks:
            body["blocks"] = message.blocks
        if message.attachments:
            body["attachments"] = message.attachments
        if message.files and files:
            body |= {"files": [self.file_in_message(message, key) for key in message.files]}
            body |= {"upload": False, "display_as_bot": False}
        if message.edited:
            body["edited"] = message.edited
        if message.metadata and metadata:
            body["metadata"] = message.metadata
        if message.reactions:
            body["reactions"] = [
                {"name": n, "users": list(who), "count": len(who)} for n, who in message.reactions.items()
            ]
        if message.pinned_by:
            body |= {"pinned_to": [message.channel], "pinned_info": {"channel": message.channel}}
        return body | self._thread(message)

    def shared(self, number: int, message: Message) -> Json:
        """A message that somebody forwarded, as it is attached to theirs."""
        inner: Json = {"blocks": message.blocks or []}
        body: Json = {
            "id": number,
            "ts": message.ts,
            "author_id": message.user,
            "channel_id": message.channel,
            "channel_team": self.state.team,
            "is_share": True,
            "text": message.text,
            "fallback": message.text,
            "footer": "Slack Conversation",
            "mrkdwn_in": ["text"],
            "message_blocks": [
                {"team": self.state.team, "channel": message.channel, "ts": message.ts, "message": inner}
            ],
        }
        files = [self.file_in_message(message, key) for key in message.files]
        return body | ({"files": files} if files else {})

    def _thread(self, message: Message) -> Json:
        if message.thread_ts and message.thread_ts != message.ts:
            root = self.state.message(message.channel, message.thread_ts)
            body: Json = {"thread_ts": message.thread_ts}
            return body | ({"parent_user_id": root.user} if root else {})
        replies = self.state.replies(message)
        if not replies:
            return {}
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len({r.user for r in replies}),
            "latest_reply": replies[-1].ts,
            "reply_users": list(dict.fromkeys(r.user for r in replies)),
            "is_locked": False,
            "subscribed": False,
        }

    def bot(self) -> Json:
        icon = f"{self.base}/_ui/avatars/{self.state.bot_user}.svg"
        return {
            "id": self.state.bot,
            "app_id": self.state.app,
            "user_id": self.state.bot_user,
            "name": self.state.app_name,
            "icons": {"image_36": icon, "image_48": icon, "image_72": icon},
            "deleted": False,
            "updated": self.state.users[self.state.bot_user].updated,
            "team_id": self.state.team,
        }

    # -- files -------------------------------------------------------------------------------------------------

    def file_in_message(self, message: Message, key: str) -> Json:
        """As a message carries it: a stub in a Slack Connect channel, a tombstone when it is gone."""
        file = self.state.files[key]
        if file.deleted:
            return {"id": file.id, "mode": "tombstone"}
        channel = self.state.channels.get(message.channel)
        if file.stub or (channel and channel.ext_shared):
            return {
                "id": file.id,
                "created": file.created,
                "timestamp": file.created,
                "mode": "file_access",
                "file_access": "check_file_info",
            }
        return {k: v for k, v in self.file(file).items() if k != "shares"}

    def file(self, file: File) -> Json:
        ready = bool(file.mimetype)
        path = f"{self.base}/files-pri/{self.state.team}-{file.id}"
        body: Json = {
            "id": file.id,
            "created": file.created,
            "timestamp": file.created,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": file.filetype,
            "pretty_type": file.filetype.upper() if ready else "",
            "user": file.user,
            "user_team": self.state.team,
            "editable": False,
            "size": file.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": any(self._public(c) for c in file.channels),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{path}/{quote(file.name)}",
            "url_private_download": f"{path}/download/{quote(file.name)}",
            "media_display_type": "unknown",
            "permalink": f"{self.base}/files/{file.user}/{file.id}/{quote(file.name)}",
            "permalink_public": f"{self.base}/files-public/{self.state.team}-{file.id}",
            "is_starred": False,
            "skipped_shares": False,
            "has_rich_preview": False,
            "file_access": "visible",
            "comments_count": 0,
            "channels": [c for c in file.channels if self._kind(c) == "public"],
            "groups": [c for c in file.channels if self._kind(c) in {"private", "mpim"}],
            "ims": [c for c in file.channels if self._kind(c) == "im"],
            "shares": file.shares,
        }
        return body | self._thumbnails(file)

    def _thumbnails(self, file: File) -> Json:
        if not file.width:
            return {}
        path = f"{self.base}/files-tmb/{self.state.team}-{file.id}"
        body: Json = {"image_exif_rotation": 1, "original_w": file.width, "original_h": file.height}
        for size in THUMBNAILS:
            if size in SQUARE:
                body[f"thumb_{size}"] = f"{path}/{size}"
            elif max(file.width, file.height) > size or size == THUMBNAILS[3]:
                scale = min(1.0, size / max(file.width, file.height))
                body |= {
                    f"thumb_{size}": f"{path}/{size}",
                    f"thumb_{size}_w": max(1, round(file.width * scale)),
                    f"thumb_{size}_h": max(1, round(file.height * scale)),
                }
        return body

    def _kind(self, channel: str) -> str:
        found = self.state.channels.get(channel)
        return found.kind if found else ""

    def _public(self, channel: str) -> bool:
        return self._kind(channel) == "public"

    # -- views -------------------------------------------------------------------------------------------------

    def view(self, view: View) -> Json:
        """The view object; `app_installed_team_id` and `bot_id` as Slack adds them."""
        body = view.body
        return {
            "id": view.id,
            "team_id": self.state.team,
            "type": view.type,
            "blocks": body["blocks"],
            "private_metadata": body.get("private_metadata", ""),
            "callback_id": body.get("callback_id", ""),
            "state": {"values": view.values},
            "hash": view.hash,
            "title": body.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": body.get("clear_on_close", False),
            "notify_on_close": body.get("notify_on_close", False),
            "close": body.get("close"),
            "submit": body.get("submit"),
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": self.state.app,
            "external_id": view.external_id,
            "app_installed_team_id": self.state.team,
            "bot_id": self.state.bot,
        }

    def whose(self, user: User) -> Json:
        """The person as interactions name them."""
        home = user.team or self.state.team
        return {"id": user.id, "username": user.name, "name": user.name, "team_id": home}

    def team(self) -> Json:
        return {"id": self.state.team, "domain": self.state.team_domain}
