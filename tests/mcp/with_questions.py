"""Something that would leave the house: the person is asked first, by clients that can ask."""

import pytest

from driver import Refused, ToolError

# Elicitation without a session came with 2026-07-28.
CAN_ASK = ["python auto", "typescript 2 auto", "typescript 2 pinned"]


@pytest.fixture(params=CAN_ASK)
def alice(request, connect):
    client = connect(request.param, "alice")
    client.asked.clear()
    yield client
    client.agrees = True


def _links(client, path):
    return [share for share in client.call("shares_list", path=path)["items"] if share["kind"] == "link"]


def a_file_gets_a_link_when_the_person_agrees(alice, name):
    path = f"/{name}.txt"
    alice.call("files_write", path=path, text="x")
    share = alice.call("share_create", path=path, kind="link")
    assert share["url"].startswith("http")
    assert len(alice.asked) == 1 and path in alice.asked[0]
    assert [it["id"] for it in _links(alice, path)] == [share["id"]]
    alice.call("files_delete", path=path)


def a_file_gets_no_link_when_the_person_does_not(alice, name):
    path = f"/{name}.txt"
    alice.call("files_write", path=path, text="x")
    alice.agrees = False
    with pytest.raises(ToolError):
        alice.call("share_create", path=path, kind="link")
    assert len(alice.asked) == 1
    assert _links(alice, path) == []
    alice.call("files_delete", path=path)


def a_client_of_the_older_era_sends_the_person_to_a_page(connect, name):
    alice, path = connect("python legacy", "alice"), f"/{name}.txt"
    alice.call("files_write", path=path, text="x")
    alice.asked.clear()
    share = alice.call("share_create", path=path, kind="link")
    assert len(alice.asked) == 1
    assert [it["id"] for it in _links(alice, path)] == [share["id"]]
    # That yes was for that call, once.
    alice.agrees = False
    with pytest.raises(Refused):
        alice.call("share_create", path=path, kind="link")
    alice.agrees = True
    alice.call("files_delete", path=path)
