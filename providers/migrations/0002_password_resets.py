from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="tokens_valid_after",
            field=models.DateTimeField(
                editable=False,
                help_text="ID tokens of before are refused; null while no password was reset.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="mailtoken",
            name="purpose",
            field=models.CharField(
                choices=[("verify_email", "Verify Email"), ("reset_password", "Reset Password")], max_length=20
            ),
        ),
    ]
