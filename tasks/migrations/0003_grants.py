from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("headway_tasks", "0002_retention_and_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="taskrun",
            name="grants_revoked",
            field=models.IntegerField(db_default=0, default=0),
        ),
    ]
