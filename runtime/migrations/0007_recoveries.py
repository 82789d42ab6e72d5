import django.db.models.deletion
from django.db import migrations, models

import aiffinity.lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("runtime", "0006_leaner_outbox"),
    ]

    operations = [
        migrations.CreateModel(
            name="Recovery",
            fields=[
                ("id", aiffinity.lib.ids.IdField(prefix="rcv", primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("failed", "Failed"),
                            ("posted", "Posted"),
                            ("posted_and_failed", "Posted And Failed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("event_type", models.CharField(blank=True, help_text="Events of this type alone.", max_length=60)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("position_at", models.DateTimeField(null=True)),
                ("count", models.PositiveIntegerField(null=True)),
                ("resent_count", models.PositiveIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished"), ("stopped", "Stopped")],
                        default="running",
                        max_length=20,
                    ),
                ),
                ("stop_reason", models.CharField(blank=True, max_length=200)),
                ("requested_by", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recoveries",
                        to="runtime.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "recoveries",
                "indexes": [
                    models.Index(fields=["endpoint", "-created_at"], name="recovery_endpoint_created"),
                    models.Index(
                        condition=models.Q(("status", "running")), fields=["updated_at"], name="recovery_running"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "running")),
                        fields=("endpoint", "kind", "event_type", "since"),
                        name="recovery_one_running",
                    )
                ],
            },
        ),
    ]
