"""``manage.py tasks prune``: as ``headway_prune``, which has the tests."""

import pytest

from tests.tasks.old import finished, left

from .calls import call

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_prunes() -> None:
    young = finished(1)
    finished(4)
    assert call("prune", "--days", "2", "--dry-run").out == "Would delete 1 finished runs.\n"
    assert call("prune", "--days", "2").out == "Deleted 1 finished runs.\n"
    assert left() == {young.pk}
    assert call("prune", "--days", "x").code == 2
