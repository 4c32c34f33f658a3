"""Pictures as files: each says in its metadata and at its lower edge that nobody in it is real."""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from .arrays import Pixels

STATEMENT: Final = "Synthetic face. No real person."
CAPTION: Final = "SYNTHETIC"
DESCRIPTION: Final = 0x010E  # EXIF ImageDescription


def save(picture: Pixels, path: Path, quality: int) -> None:
    """Writes the picture as JPEG, marked as synthetic."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[DESCRIPTION] = STATEMENT
    captioned(picture).save(path, "JPEG", quality=quality, exif=exif, comment=STATEMENT.encode(), optimize=True)


def captioned(picture: Pixels) -> Image.Image:
    """The picture with the caption in its lower right corner, over clothes or floor, never over a face."""
    image = Image.fromarray(picture)
    size = max(8, round(image.width * 0.026))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image, "RGBA")
    right, bottom = image.width - 4, image.height - 3
    draw.text(
        (right, bottom), CAPTION, (255, 255, 255, 190), font, anchor="rb", stroke_width=1, stroke_fill=(0, 0, 0, 110)
    )
    return image


def says_synthetic(data: bytes) -> bool:
    """Whether a JPEG carries the statement, in its comment and in EXIF."""
    with Image.open(io.BytesIO(data)) as image:
        comment = image.info.get("comment", b"")
        return comment == STATEMENT.encode() and image.getexif().get(DESCRIPTION) == STATEMENT
