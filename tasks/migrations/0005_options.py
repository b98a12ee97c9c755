from django.db import migrations

import tasks.fields


class Migration(migrations.Migration):
    dependencies = [
        ("headway_tasks", "0004_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="taskrun",
            name="options",
            field=tasks.fields.JSONTextField(db_default={}, default=dict),
        ),
    ]
