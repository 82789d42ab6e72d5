from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0002_password_resets"),
    ]

    operations = [
        migrations.CreateModel(
            name="RevokedToken",
            fields=[
                ("jti", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
