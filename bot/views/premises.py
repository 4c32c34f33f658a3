"""What supervisors are told of the workspace itself (M39). Pure."""

from bot.views.blocks import Block, section

Message = tuple[str, list[Block]]


def left(channel: str, inviter: str) -> Message:
    """The bot was where it has no business; who wanted it there is known where Slack said so."""
    text = "Leadgate was invited into another channel and left it"
    return text, [section(f"*Leadgate was invited into <#{channel}>{_by(inviter)} and left.* It has three channels.")]


def not_left(channel: str, inviter: str) -> Message:
    """The bot still is there, since Slack does not let it go."""
    text = "Leadgate is in a channel that it cannot leave"
    return text, [
        section(
            f"*Leadgate was invited into <#{channel}>{_by(inviter)} and Slack does not let it leave.* It does nothing "
            "there, and tries again every ten minutes. Remove it from that channel, or ask your workspace's "
            "administrator to."
        )
    ]


def _by(inviter: str) -> str:
    return f" by <@{inviter}>" if inviter else ""
