import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0001_initial"),
        ("runtime", "0005_operate_connections"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="runtime.webhookendpoint",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="event",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="runtime.event",
            ),
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="delivery",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="runtime.delivery",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="app",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="providers.app",
            ),
        ),
        # Databases that were made when ids still had a second index for LIKE.
        migrations.RunSQL("DROP INDEX IF EXISTS runtime_event_id_5e2022ef_like", migrations.RunSQL.noop),
        migrations.RunSQL("DROP INDEX IF EXISTS runtime_delivery_id_32ec94ac_like", migrations.RunSQL.noop),
    ]
