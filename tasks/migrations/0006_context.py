from django.db import migrations

import tasks.fields


class Migration(migrations.Migration):
    dependencies = [
        ("headway_tasks", "0005_options"),
    ]

    operations = [
        migrations.AddField(
            model_name="taskrun",
            name="context",
            field=tasks.fields.JSONTextField(db_default={}, default=dict),
        ),
    ]
