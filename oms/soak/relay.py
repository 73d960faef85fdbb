"""`python -m oms.soak.relay NAME=PORT=TARGET ...`: TCP links that can be cut while they are used.

`cut NAME` on standard input: nothing passes any more, and nobody is told; who connects is taken and
hears nothing. `mend NAME`: the connections of before the cut are dropped, new ones pass.
"""

import asyncio
import contextlib
import sys

HOST = "127.0.0.1"
_READ_BYTES = 1 << 16


class Link:
    """One way through, from a port of ours to another."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._passes = asyncio.Event()
        self._passes.set()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """See the module."""
        self._passes.clear()

    def mend(self) -> None:
        """See the module."""
        for writer in self._open:
            writer.close()
        self._passes.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self._open.add(writer)
        try:
            await self._passes.wait()
            there = await asyncio.open_connection(HOST, self._target)
        except OSError:
            self._open.discard(writer)
            writer.close()
            return
        self._open.add(there[1])
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()


async def _run(routes: list[str]) -> None:
    links: dict[str, Link] = {}
    for route in routes:
        name, port, target = route.split("=")
        links[name] = Link(int(target))
        await asyncio.start_server(links[name].serve, HOST, int(port))
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        word, _, name = line.decode().strip().partition(" ")
        if word == "cut":
            links[name].cut()
        elif word == "mend":
            links[name].mend()


def main() -> None:
    """Until standard input ends."""
    asyncio.run(_run(sys.argv[1:]))


if __name__ == "__main__":
    main()
