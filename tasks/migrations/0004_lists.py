from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("headway_tasks", "0003_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="Audience",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id",
                        "process",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("process", models.CharField(max_length=100)),
                ("watchers", models.PositiveIntegerField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "db_table": "headway_audience",
            },
        ),
        migrations.AddField(
            model_name="taskrun",
            name="changed",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                condition=models.Q(("changed__isnull", False)),
                fields=["changed"],
                name="headway_run_changed",
            ),
        ),
    ]
