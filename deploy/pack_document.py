"""A pack's document as an accessible PDF (PDF/UA-1, fonts embedded). Pure: Markdown in, bytes out."""

import json
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

TEMPLATE = Path(__file__).with_name("pack_document.typ")
STYLES = {"strong_open": "strong", "em_open": "emph"}


def pdf(markdown: str, pack: str) -> bytes:
    """The document of the pack `name@version`; the same document gives the same bytes."""
    import typst

    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"document": json.dumps({"pack": pack, "blocks": list(_blocks(markdown))})},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=0,  # a pack has a version, and no hour
    )
    assert isinstance(made, bytes), "one PDF"
    return made


def _blocks(markdown: str) -> Iterator[dict[str, object]]:
    """Headings, paragraphs and list items with their depth, in order; text is data and never read as markup."""
    kind, depth = "paragraph", 0
    for token in MarkdownIt("commonmark", {"html": False}).parse(markdown):
        match token.type:
            case "heading_open":
                kind = token.tag
            case "heading_close" | "bullet_list_close":
                kind, depth = "paragraph", depth - (token.type == "bullet_list_close")
            case "bullet_list_open":
                depth += 1
            case "inline":
                yield {"kind": "item" if depth else kind, "depth": depth, "runs": list(_runs(token.children or []))}
            case _:
                pass


def _runs(inline: list[Token]) -> Iterator[dict[str, str]]:
    """Stretches of text in one style each."""
    style = ""
    for token in inline:
        match token.type:
            case "strong_open" | "em_open":
                style = STYLES[token.type]
            case "strong_close" | "em_close":
                style = ""
            case "code_inline":
                yield {"text": token.content, "style": "code"}
            case "softbreak" | "hardbreak":
                yield {"text": " ", "style": ""}
            case _ if token.content:
                yield {"text": token.content, "style": style}
            case _:
                pass
