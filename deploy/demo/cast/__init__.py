"""The synthetic cast: rendered people for the demonstration and the tests. Nobody in it is real."""

from pathlib import Path
from typing import Final

PICTURES: Final = Path(__file__).parent / "pictures"

# Rendered faces are more alike than people's: here non-mates score what only mates score on photographs. This
# threshold belongs to these pictures and the default model alone, and must never be used on photographs of people.
THRESHOLD: Final = 0.75
FIRST_AMONG_STILLS: Final = 0.95  # of the committed stills of enrolled people, at least this share finds them first
