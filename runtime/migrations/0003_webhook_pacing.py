from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runtime", "0002_connections"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="webhookendpoint",
            options={"permissions": [("operate_webhooks", "Can replay deliveries, recover and enable endpoints")]},
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="rate_limit_per_second",
            field=models.PositiveSmallIntegerField(default=200),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="warned_percent",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="recent_outcomes",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="breaker_open_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="paced_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["endpoint", "finished_at"],
                name="delivery_failed",
            ),
        ),
    ]
