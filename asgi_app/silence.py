"""How long a server on the network may be silent before its connection is given up.

A cut network, or a machine that has lost its power, sends no reset: the kernel would
resend for a quarter of an hour. These bounds have it give up within about one lease
(``HEADWAY["LEASE"]``, 10 seconds by default), so that what waits comes back, connects
again and goes on. They bound the network's silence only: a query may take as long as it
takes, since the server's kernel acknowledges what it receives.
"""

from typing import Final

__all__ = ["COUNT", "GIVEN_UP_AFTER", "IDLE", "INTERVAL"]

IDLE: Final = 4  #: seconds without traffic, then the kernel asks whether the peer is there
INTERVAL: Final = 2  #: seconds between two such questions
COUNT: Final = 3  #: questions without an answer
GIVEN_UP_AFTER: Final = IDLE + INTERVAL * COUNT  #: seconds; so long may sent data wait too
