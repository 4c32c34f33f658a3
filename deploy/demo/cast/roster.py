"""Who is in the cast: seeds chosen by eye, one by one, and the stills that tell the demonstration's stories.

Of some 300 faces each was looked at. Out went whatever looked odd, severe or like a caricature, then whoever was too
like somebody else, until sex, age and the three thirds of skin tone were balanced.
"""

from dataclasses import dataclass
from typing import Final, Literal

from .backdrop import Place

EARLIER_EVERY: Final = 6  # every sixth person also has an older photograph


@dataclass(frozen=True, slots=True)
class Tale:
    """A still for the demonstration: of whom, drawn from which `take` of the nuisances, how hard, where."""

    name: str
    seed: int
    take: int
    kind: Literal["clear", "plain", "hard"]
    where: Place
    about: str


# fmt: off
ARRESTED: Final = (
    101, 105, 108, 118, 119, 348, 123, 124, 130, 135, 136, 137, 138, 141, 143, 146, 148, 149, 151, 154,
    155, 159, 161, 164, 165, 167, 169, 171, 173, 174, 175, 177, 179, 180, 183, 185, 186, 189, 190, 191,
    196, 197, 199, 200, 361, 202, 203, 204, 205, 207, 208, 211, 212, 299, 219, 223, 221, 222, 225, 228,
    229, 127, 236, 238, 241, 242, 244, 247, 249, 251, 253, 256, 258, 260, 261, 266, 267, 268, 269, 270,
    274, 276, 277, 282, 283, 284, 286, 288, 290, 291, 293, 295, 296, 298, 104, 301, 304, 308, 310, 311,
    312, 313, 315, 316, 320, 321, 322, 324, 331, 332, 333, 335, 336, 339, 341, 343, 344, 346, 349, 351,
    353, 357, 362, 363, 365, 368, 369, 370, 371, 374, 377, 378,
)
# fmt: on
STRANGERS: Final = (145, 217, 318, 162, 178, 193, 278, 317, 350, 358, 115, 168)

ENROLLED, UNKNOWN = "somebody enrolled", "somebody who is not in the gallery"
TALES: Final = (
    Tale("still-01", 155, 1, "clear", Place.LOBBY, f"clear, {ENROLLED}"),
    Tale("still-02", 349, 2, "clear", Place.SHOP, f"clear, {ENROLLED}"),
    Tale("still-03", 313, 3, "clear", Place.CORRIDOR, f"clear, {ENROLLED}"),
    Tale("still-04", 197, 4, "clear", Place.SHOP, f"clear, {ENROLLED}"),
    Tale("still-05", 370, 5, "clear", Place.STREET, f"clear, {ENROLLED}"),
    Tale("still-06", 138, 6, "plain", Place.SHOP, ENROLLED),
    Tale("still-07", 290, 7, "plain", Place.LOBBY, ENROLLED),
    Tale("still-08", 161, 8, "plain", Place.CORRIDOR, ENROLLED),
    Tale("still-09", 118, 9, "plain", Place.STREET, ENROLLED),
    Tale("still-10", 244, 10, "plain", Place.SHOP, ENROLLED),
    Tale("still-11", 301, 11, "plain", Place.CORRIDOR, ENROLLED),
    Tale("still-12", 200, 12, "plain", Place.SHOP, ENROLLED),
    Tale("still-13", 141, 13, "plain", Place.SHOP, ENROLLED),
    Tale("still-14", 228, 14, "plain", Place.STREET, ENROLLED),
    Tale("hard-01", 130, 21, "hard", Place.SHOP, f"hard, {ENROLLED}"),
    Tale("hard-02", 222, 22, "hard", Place.CORRIDOR, f"hard, {ENROLLED}"),
    Tale("hard-03", 298, 23, "hard", Place.LOBBY, f"hard, {ENROLLED}"),
    Tale("stranger-01", 145, 31, "clear", Place.LOBBY, UNKNOWN),
    Tale("stranger-02", 358, 32, "clear", Place.SHOP, UNKNOWN),
    Tale("stranger-03", 178, 33, "plain", Place.CORRIDOR, UNKNOWN),
    Tale("stranger-04", 350, 34, "plain", Place.STREET, UNKNOWN),
)
