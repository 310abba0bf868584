"""A gigabyte up and down through an obo-proxy that is alone in its process, so that the memory it took can be read."""

import asyncio
import hashlib
import os
import re
from pathlib import Path

import httpx
import nc_py_api
import pytest

GIBIBYTE = 1 << 30
BLOCK = 1 << 20
# So large that a chunk that was kept whole would show.
CHUNK = 64 << 20
# What it may ever have taken of memory: a debug build takes 24 MiB idle.
MOST = 64 << 20


class _Content:
    """A gigabyte, no two blocks alike, of which only one is ever there."""

    def __init__(self):
        self.position, self.sum = 0, hashlib.sha256()

    def __iter__(self):
        while block := self.read(BLOCK):
            yield block

    def read(self, size):
        assert size % BLOCK == 0
        numbers = range(self.position // BLOCK, min(self.position + size, GIBIBYTE) // BLOCK)
        read = b"".join(number.to_bytes(8, "big") * (BLOCK // 8) for number in numbers)
        self.position += len(read)
        self.sum.update(read)
        return read


@pytest.fixture
def serve():
    """Its public URL. What it took of memory is looked at in the end."""
    yield os.environ["OBO_SERVE"]
    status = Path(f"/proc/{os.environ['OBO_SERVE_PROCESS']}/status").read_text()
    assert "obo-proxy" in status
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10
    print(f"obo-proxy took at most {peak >> 20} MiB")
    assert peak <= MOST, f"obo-proxy took {peak >> 20} MiB"


@pytest.fixture
def client(serve, token):
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=300, trust_env=False) as client:
        yield client


@pytest.fixture
def file(serve, client):
    address = f"{serve}/remote.php/dav/files/alice/gigabyte.bin"
    yield address
    client.delete(address).raise_for_status()


def _sum_of(client, file):
    sum, length = hashlib.sha256(), 0
    with client.stream("GET", file) as response:
        response.raise_for_status()
        for block in response.iter_raw():
            sum.update(block)
            length += len(block)
    assert length == GIBIBYTE
    return sum.hexdigest()


@pytest.mark.large
def a_gigabyte_in_one_request_goes_up_and_comes_back(client, file):
    content = _Content()
    client.put(file, content=iter(content), headers={"Content-Length": str(GIBIBYTE)}).raise_for_status()
    assert _sum_of(client, file) == content.sum.hexdigest()


@pytest.mark.large
def a_gigabyte_of_unknown_length_goes_up_and_comes_back(client, file):
    content = _Content()
    assert client.put(file, content=iter(content)).status_code == 201
    assert _sum_of(client, file) == content.sum.hexdigest()


@pytest.mark.large
def a_gigabyte_in_chunks_goes_up_and_comes_back(client, file, serve, token):
    content = _Content()

    async def upload():
        nc = nc_py_api.AsyncNextcloud(nextcloud_url=serve)
        nc._session.cfg.auth = token
        nc._session.init_adapter(restart=True)
        nc._session.init_adapter_dav(restart=True)
        await nc.files.upload_stream("gigabyte.bin", content, chunk_size=CHUNK)

    asyncio.run(upload())
    assert _sum_of(client, file) == content.sum.hexdigest()
