"""The suite's settings on the servers it is given; see :mod:`tests.backends`."""

from tests.backends import channel_layers, databases
from tests.settings import *  # noqa: F403
from tests.settings import FOLDER

DATABASES = databases(FOLDER)
CHANNEL_LAYERS = channel_layers()
