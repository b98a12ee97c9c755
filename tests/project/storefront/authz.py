"""Who may watch: customers their own runs, clerks everybody's."""


def may(user, run, action):
    if not user.is_authenticated:
        return False
    return run.user_id == user.pk or user.groups.filter(name="clerks").exists()
