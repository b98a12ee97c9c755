from tasks.models import StreamTask


class TwinTask(StreamTask):
    async def process(self) -> str:
        return "the other one"
