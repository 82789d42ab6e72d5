"""An index for the purge of cached states."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("capabilities", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="cachedstate",
            index=models.Index(fields=["expires_at"], name="cached_state_expiry"),
        ),
    ]
