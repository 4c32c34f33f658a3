"""What an arrest record says of a synthetic person beside the picture. Every word of it is invented."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.random import RandomState

from .identity import Identity

AGENCY: Final = "Demo PD"
TODAY: Final = date(2026, 11, 1)  # the demonstration's own calendar: photographs are older than this
HE: Final = (  # noqa: SIM905 - a list would be a page long
    "Adal Bram Corin Dorn Evert Falk Gorm Harl Ivo Jorn Kell Lorn Merrik Nevin Orrin Pell Quill Rorik Sten Torrin "
    "Ulric Varn Wendel Yorick Zell"
).split()
SHE: Final = (  # noqa: SIM905
    "Alva Brisa Cerys Delia Elin Farah Gisel Hesper Ilva Jorun Kaia Liss Maren Nella Odile Petra Quenna Rhea "
    "Sunniva Tamsin Una Vesna Wilma Ysolde Zina"
).split()
FAMILY: Final = (  # noqa: SIM905
    "Ashgrove Birchfield Cobbleton Dunmarsh Elderwick Fernhollow Glasspool Hazelmere Inkpen Juniperson Kettlewick "
    "Larkmoor Mossgate Nettlebank Oatfield Pebblebrook Quartzley Reedham Saltmarsh Thistlewood Umberley Vellum "
    "Willowby Yarrowdale Zephyrine"
).split()

OF_AGE: Final = 19  # by the year alone: nobody was a minor on any photograph


@dataclass(frozen=True, slots=True)
class Pedigree:
    """Stature in centimetres, weight in kilograms; `earlier` is the date of an older photograph, if there is one."""

    person: str
    name: str
    sex: str
    birth_year: int
    height_cm: int
    weight_kg: int
    marks: str | None
    taken_on: date
    earlier: date | None


def pedigree(who: Identity, index: int, *, twice: bool) -> Pedigree:
    """The record of the `index`th person; with an older photograph if `twice`."""
    random = RandomState(who.seed + 3)
    height = int(np.clip(random.normal(177 if who.male else 164, 6.5), 150, 201))
    mass = 25 + 6.5 * who.weight + random.normal(0, 1)
    taken = TODAY - timedelta(days=random.randint(20, 1100))
    earlier = taken - timedelta(days=random.randint(900, 2600)) if twice else None
    return Pedigree(
        person=f"S-{index + 1:04d}",
        name=name_of(index, male=who.male),
        sex="M" if who.male else "F",
        birth_year=min(taken.year - who.age, (earlier or taken).year - OF_AGE),
        height_cm=height,
        weight_kg=round(mass * (height / 100) ** 2),
        marks=marks(who),
        taken_on=taken,
        earlier=earlier,
    )


def name_of(index: int, *, male: bool) -> str:
    """A name that nobody else in the cast has: 625 of them for each sex before one comes again."""
    first = (HE if male else SHE)[(index * 11 + index // 25) % 25]
    return f"{first} {FAMILY[(index * 7 + index // 25) % 25]}"


def marks(who: Identity) -> str | None:
    """Moles and freckles in words, so that an examiner can look for them."""
    told = [f"mole, {_where(x, y)}" for x, y, _ in who.skin.moles]
    if who.skin.freckles:
        told.append("freckles")
    return "; ".join(told) or None


def _where(x: float, y: float) -> str:
    """A place on the face, in the person's own left and right."""
    if abs(x) < 0.08:  # noqa: PLR2004 - near the middle
        return "forehead" if y > 7.5 else "nose" if y > 6.8 else "chin"  # noqa: PLR2004
    side = "left" if x > 0 else "right"
    return next(
        place.format(side)
        for above, place in ((7.55, "forehead, {}"), (7.2, "beside the {} eye"), (6.75, "{} cheek"), (0, "chin, {}"))
        if y > above
    )
