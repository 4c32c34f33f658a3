"""The viewer's id, burnt into the pixels that are served: a saved or screen-captured copy says who saw it and when.

Decodes only pictures that the matcher has made: what people post is never decoded in this process. The mark is faint
and runs across the whole picture, so that no crop of a face is without it and no feature is hidden. The page draws none
of its own: it could be taken away in the browser, and two marks over each other hide what is compared.
"""

import io
import math

from PIL import Image, ImageDraw, ImageFont

STRENGTH = 44  # of 255: legible on light and dark, and a mole beneath it still shows
TURNED = 24  # degrees


def burnt(made: bytes, mark: str) -> bytes:
    """The photograph with `mark` across all of it; JPEG, no metadata."""
    picture = Image.open(io.BytesIO(made), formats=["JPEG", "PNG"]).convert("RGB")
    over = _tiled(mark, picture.size)
    picture.paste(Image.new("RGB", picture.size, "white"), mask=over.getchannel("R"))
    picture.paste(Image.new("RGB", picture.size, "black"), mask=over.getchannel("G"))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def _tiled(mark: str, size: tuple[int, int]) -> Image.Image:
    """Channel R: where the mark is drawn in white; channel G: its dark edge."""
    width, height = size
    letters = max(11, min(width, height) // 26)
    font = ImageFont.load_default(letters)
    side = math.ceil(math.hypot(width, height))
    sheet = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(sheet)
    step_x, step_y = int(draw.textlength(mark, font=font)) + 2 * letters, 3 * letters
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            draw.text((x + 1, y + 1), mark, font=font, fill=(0, STRENGTH, 0))
            draw.text((x, y), mark, font=font, fill=(STRENGTH, 0, 0))
    left, top = (side - width) // 2, (side - height) // 2
    turned = sheet.rotate(TURNED, Image.Resampling.BILINEAR)
    return turned.crop((left, top, left + width, top + height))
