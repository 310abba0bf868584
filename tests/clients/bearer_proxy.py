"""A forward proxy that adds a bearer token, for clients that cannot send one: litmus and vdirsyncer.

A proxy, and not a server with an address of its own, so that a client's URLs, `Host` and `Destination` stay obo-proxy's. One request a
connection: then nothing has to be parsed behind the head, and bodies stream both ways.
"""

import asyncio
import contextlib
import functools
import threading

NOT_FORWARDED = (b"authorization", b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive")


@contextlib.contextmanager
def adding(token, only_for):
    """Runs one on a free port in a thread of its own; gives its address. Another host than `only_for` gets nothing: 403."""
    loop = asyncio.new_event_loop()
    serve = functools.partial(_serve, token, only_for)
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _serve(token, only_for, reader, writer):
    try:
        request_line, *fields = (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n").split(b"\r\n")
        method, target, version = request_line.decode("ascii").split(" ")
        if not target.startswith(f"http://{only_for}/"):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        kept = [field for field in fields if field.split(b":")[0].lower() not in NOT_FORWARDED]
        added = [f"Authorization: Bearer {token}".encode(), b"Connection: close"]
        request_line = f"{method} {target.removeprefix(f'http://{only_for}')} {version}".encode()
        answer, upstream = await asyncio.open_connection(*only_for.split(":"))
        upstream.write(b"\r\n".join([request_line, *kept, *added, b"", b""]))
        upload = asyncio.ensure_future(_pump(reader, upstream))
        await _pump(answer, writer)
        upload.cancel()
        upstream.close()
    finally:
        writer.close()


async def _pump(source, sink):
    with contextlib.suppress(OSError):
        while block := await source.read(65536):
            sink.write(block)
            await sink.drain()
