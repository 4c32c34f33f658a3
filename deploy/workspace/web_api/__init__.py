"""The Web API's methods, by name."""

from . import chat, conversations, files, marks, people, surfaces
from .call import Method

METHODS: dict[str, Method] = {
    m.name: m for family in (chat, conversations, files, marks, people, surfaces) for m in family.METHODS
}
