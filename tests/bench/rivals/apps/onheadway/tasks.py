import asyncio
import time

from tasks import task
from tests.bench.rivals.marks import mark


@task
async def nothing(sent):
    mark(sent, time.time())


@task
async def rest(sent):
    begun = time.time()
    await asyncio.sleep(0.01)  # it is the work
    mark(sent, begun)
