from tests.sessions import django_db_setup as django_db_setup
