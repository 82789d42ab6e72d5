"""Resource ids: a prefix that names the kind plus a ULID (spec 1, "Words")."""

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from ulid import ULID

ULID_PATTERN = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


def new_id(prefix: str) -> str:
    """Make a fresh id such as `acct_01J8XKWM3N4QR5STVYZ2BCDEFG`."""
    return f"{prefix}_{ULID()}"


def is_id(value: str, prefix: str) -> bool:
    """Say whether a text is a well-formed id of this kind."""
    return re.fullmatch(rf"{prefix}_{ULID_PATTERN}", value) is not None


if TYPE_CHECKING:
    _TextField = models.CharField[str, str]
else:
    # Django's fields take no type arguments when they run.
    _TextField = models.CharField


class IdField(_TextField):
    """A primary key that makes its own prefixed ULID."""

    def __init__(self, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("primary_key", True)
        kwargs["max_length"] = 40
        kwargs["editable"] = False
        kwargs["default"] = partial(new_id, prefix)
        super().__init__(**kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column's type, in a spelling to which Django adds no second index.

        It gives each unique or indexed "varchar", and each foreign key to one, another index for LIKE. Ids are
        compared whole, and the tables that are written most would keep half a dozen of them.
        """
        return f"character varying({self.max_length})"

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """Keep migrations free of the derived arguments."""
        name, path, args, kwargs = super().deconstruct()
        for derived in ("max_length", "editable", "default"):
            kwargs.pop(derived, None)
        kwargs["prefix"] = self.prefix
        return name, path, args, kwargs
