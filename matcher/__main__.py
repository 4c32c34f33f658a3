"""`python -m matcher` starts the service."""

import asyncio
import sys

from pydantic import ValidationError

from matcher.app import serve
from matcher.pack import PackError
from matcher.settings import Settings

try:
    asyncio.run(serve(Settings()))  # pyright: ignore[reportCallIssue] - the environment fills it
except ValidationError as error:
    first = error.errors(include_url=False, include_input=False)[0]
    name = "LEADGATE_MATCHER_" + "_".join(str(part) for part in first["loc"]).upper()
    sys.exit(f"matcher: cannot start. {name}: {first['msg']}")
except PackError as error:
    sys.exit(f"matcher: cannot start. {error}")
