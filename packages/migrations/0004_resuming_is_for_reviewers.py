from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("packages", "0003_approvers_are_others"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="review",
            options={
                "permissions": [
                    ("review_version", "Can claim versions and decide on them"),
                    ("security_review_version", "Can decide as a security reviewer"),
                    ("architecture_review_version", "Can decide as an architecture reviewer"),
                    ("curate_package", "Can grant the strategic surface to a package"),
                    ("suspend_package", "Can suspend versions and packages"),
                ]
            },
        ),
    ]
