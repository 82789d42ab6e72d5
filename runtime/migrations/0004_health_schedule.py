import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runtime", "0003_webhook_pacing"),
    ]

    operations = [
        migrations.AddField(
            model_name="runtimeapp",
            name="next_health_check_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="The next turn, or the end of the lease; null for a deleted app.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="runtimeapp",
            index=models.Index(
                condition=models.Q(("status", "active"), models.Q(("health_check_url", ""), _negated=True)),
                fields=["next_health_check_at"],
                name="runtime_app_health_due",
            ),
        ),
        migrations.RemoveIndex(model_name="healthcheck", name="health_check_app_time"),
        migrations.AlterField(
            model_name="healthcheck",
            name="checked_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="healthcheck",
            name="runtime_app",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="health_checks",
                to="runtime.runtimeapp",
            ),
        ),
        migrations.AddIndex(
            model_name="healthcheck",
            index=models.Index(
                fields=["runtime_app", "-checked_at"], include=("is_healthy",), name="health_check_app_checked"
            ),
        ),
        # At 10,000 apps the table turns over once a day: the defaults would let it grow by a fifth before each vacuum.
        migrations.RunSQL(
            "ALTER TABLE runtime_healthcheck SET (autovacuum_vacuum_scale_factor = 0.02, "
            "autovacuum_vacuum_insert_scale_factor = 0.02)",
            "ALTER TABLE runtime_healthcheck RESET (autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
