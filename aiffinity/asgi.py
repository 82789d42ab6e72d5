"""ASGI entry point: serves realtime streams in production, and everything under `runplatform`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiffinity.settings")

application = get_asgi_application()

# The models can only be imported once the application is set up.
from aiffinity.lib.startup import refuse_misconfiguration  # noqa: E402
from aiffinity.lib.utf8_requests import Utf8AsgiRequest  # noqa: E402

application.request_class = Utf8AsgiRequest
refuse_misconfiguration()
