from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("headway_tasks", "0005_options"),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("number", models.PositiveIntegerField()),
                ("sent_at", models.DateTimeField()),
                ("data", models.TextField()),
            ],
            options={
                "db_table": "headway_message",
            },
        ),
    ]
