"""What every test is given: the house, the people in it, and clients that one of them signed in to."""

import json
import os
import subprocess
import threading
import uuid

import pytest

import driver
import person

# What the tests here do.
EVERYTHING = "nc.read files.read files.write shares.read shares.write calendar.read calendar.write"


@pytest.fixture(scope="session")
def house():
    """Where things are: `mcp`, `issuer`, and `client_id` if clients are not to register. A house of another's, or one built here."""
    if given := os.environ.get("OBO_HOUSE"):
        yield json.loads(given)
        return
    process = subprocess.Popen([os.environ["OBO_BINARY"], "dev", "--json"], stdout=subprocess.PIPE, text=True)
    alarm = threading.Timer(driver.PATIENCE, process.kill)
    alarm.start()
    try:
        line = process.stdout.readline()
        assert line, "obo-proxy dev did not start"
        alarm.cancel()
        yield json.loads(line)
    finally:
        alarm.cancel()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def connect(house):
    """Starts clients by name, for a person; each stays until the end and is signed in to once: by itself, or before it starts with a
    scope."""
    clients = {}

    def connected(name, who, scope=None):
        key = (name, who, scope)
        if key not in clients:
            given = {"client_id": house.get("client_id")}
            if scope:
                given = {"client_id": "mcp-client", "tokens": person.log_in(who, house["issuer"], scope, house["mcp"])}
            clients[key] = driver.Client(name, house["mcp"], person.Person(who), **given)
        return clients[key]

    yield connected
    for client in clients.values():
        client.close()


@pytest.fixture(params=list(driver.CLIENTS))
def alice(request, house, connect):
    """Each client in turn, with alice before it."""
    if request.param in driver.ASKS_FOR_MORE:
        return connect(request.param, "alice")
    # Whoever cannot ask for more later has to have it from the start.
    return connect(request.param, "alice", scope=EVERYTHING)


@pytest.fixture
def bob(connect):
    """bob's client."""
    return connect("python auto", "bob")


@pytest.fixture
def name():
    """A name that nothing has yet, with what has to be escaped in it."""
    return f"für {uuid.uuid4().hex[:8]} & Söhne"
