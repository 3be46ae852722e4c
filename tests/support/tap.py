"""A wire tap: passes bytes on between a client and a port of 127.0.0.1, and keeps what went each way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.support.wire import Message, read_message


@dataclass
class Tap:
    """`asked` and `answered` hold what went each way, one entry a connection."""

    port: int = 0
    asked: list[bytearray] = field(default_factory=list)
    answered: list[bytearray] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The origin to give to a client."""
        return f"http://127.0.0.1:{self.port}"

    async def exchanges(self) -> list[tuple[Message, Message]]:
        """Every request with its answer, as they were on the wire."""
        found = []
        for asked, answered in zip(self.asked, self.answered, strict=True):
            requests, answers = _fed(asked), _fed(answered)
            while not requests.at_eof():
                request = await read_message(requests)
                found.append((request, await read_message(answers, asked=request.line.split(" ")[0])))
        return found

    def clear(self) -> None:
        """Forgets what went before; for use while no request is under way."""
        for each in (*self.asked, *self.answered):
            each.clear()


def _fed(data: bytearray) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=2**20)
    reader.feed_data(bytes(data))
    reader.feed_eof()
    return reader


@contextlib.asynccontextmanager
async def tapped(port: int) -> AsyncIterator[Tap]:
    """A running tap in front of this port."""
    tap = Tap()
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                kept += data
                writer.write(data)
                await writer.drain()
        writer.close()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        asked, answered = bytearray(), bytearray()
        tap.asked.append(asked)
        tap.answered.append(answered)
        await asyncio.gather(pass_on(reader, there_writer, asked), pass_on(there_reader, writer, answered))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(one(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
