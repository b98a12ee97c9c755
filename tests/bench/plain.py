"""What Python costs by itself: an asyncio server that writes an event to each client.

No ASGI, no framework, no HTTP beyond the first line of a request. Run as ``python -m
tests.bench.plain port``.
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

from tests.bench.bare import Room

__all__: list[str] = []

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\n\r\n"

rooms: dict[str, Room] = {}
producers: set[asyncio.Task[None]] = set()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    target = urlsplit((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
    match target.path.strip("/").split("/"):
        case ["bench", "open"]:
            query = parse_qs(target.query)
            room = Room(int(query["count"][0]), float(query["rate"][0]))
            rooms[room.name] = room
            writer.write(_HEAD % b"text/plain" + room.name.encode())
        case ["tasks", name, "events"]:
            writer.write(_HEAD % b"text/event-stream")
            async for frame in rooms[name].events():
                writer.write(frame.sse)
        case ["bench", "go", name]:
            producers.add(asyncio.create_task(rooms.pop(name).produce()))
            writer.write(_HEAD % b"text/plain")
        case _:
            writer.write(_HEAD % b"text/plain")
    writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=1000)
    print("Listening on TCP address", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
