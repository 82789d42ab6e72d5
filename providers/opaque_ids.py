"""The outward id of a user: opaque, stable per user and app (spec 1 "Words", spec 4 "Execute protocol")."""

import base64
import hashlib
import hmac
from functools import lru_cache

from django.conf import settings

CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@lru_cache(maxsize=10_000)
def opaque_user_id(user_id: str, app_id: str) -> str:
    """Derive `usr_` + 26 characters by HMAC-SHA256, with a key of its own that never rotates."""
    key = base64.b64decode(settings.USER_ID_KEY)
    digest = hmac.new(key, f"{user_id}/{app_id}".encode(), hashlib.sha256).digest()
    return "usr_0" + base64.b32encode(digest[:16]).decode()[:25].translate(CROCKFORD)
