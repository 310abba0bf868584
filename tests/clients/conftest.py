"""What every client is given: the address of obo-proxy and the caller's token. `scripts/clients` started them and says where they are."""

import json
import os
import urllib.parse
import uuid

import pytest

import bearer_proxy

HOUSE = json.loads(os.environ["OBO_HOUSE"])


@pytest.fixture(scope="session")
def proxy():
    """obo-proxy's public URL, with or without a path."""
    return os.environ["OBO_PROXY"]


@pytest.fixture(scope="session")
def token():
    """alice's token, as her client has it."""
    return HOUSE["users"]["alice"]["subject_token"]


@pytest.fixture(scope="session")
def files(proxy):
    """alice's files."""
    return f"{proxy}/remote.php/dav/files/alice/"


@pytest.fixture(scope="session")
def adds_bearer(proxy, token):
    """The address of a forward proxy that adds her token."""
    with bearer_proxy.adding(token, urllib.parse.urlsplit(proxy).netloc) as address:
        yield address


@pytest.fixture
def name():
    """A name that nothing has yet, with what has to be escaped in it."""
    return f"für {uuid.uuid4().hex[:8]} & Söhne"


@pytest.fixture
def environment(tmp_path):
    """For clients that are programs: nobody's own settings, no proxies."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    return {**kept, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
