"""`python -m matcher` starts the service."""

import asyncio
import sys

from matcher import gallery, settings
from matcher.app import serve
from matcher.pack import PackError
from matcher.settings import SettingsError

try:
    asyncio.run(serve(settings.read()))
except (PackError, SettingsError) as error:
    sys.exit(f"matcher: cannot start. {error}")
except (*gallery.UNUSABLE, *gallery.AWAY) as error:
    sys.exit(f"matcher: cannot start. {gallery.why_not(error)}")
