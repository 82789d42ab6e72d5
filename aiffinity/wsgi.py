"""WSGI entry point: serves the API in production."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiffinity.settings")

application = get_wsgi_application()

# The models can only be imported once the application is set up.
from aiffinity.lib.startup import refuse_misconfiguration  # noqa: E402
from aiffinity.lib.utf8_requests import Utf8WsgiRequest  # noqa: E402

application.request_class = Utf8WsgiRequest
refuse_misconfiguration()
