"""Every SDK, in every era that it speaks: from the address alone to things done in alice's name."""

import datetime
import urllib.parse

import pytest

import driver
from driver import Refused, ToolError

MODERN, LEGACY = "2026-07-28", "2025-11-25"
SPEAKS = {
    "python auto": MODERN,
    "python legacy": LEGACY,
    "typescript 1": LEGACY,
    "typescript 2 auto": MODERN,
    "typescript 2 legacy": LEGACY,
    "typescript 2 pinned": MODERN,
}


@pytest.mark.parametrize("client", driver.CLIENTS)
def the_address_is_all_that_a_client_needs(client, house, connect):
    it = connect(client, "alice")
    assert it.protocol == SPEAKS[client]
    # It found the issuer, registered there if nobody had, and a person signed in once.
    assert it.registered == [] if "client_id" in house else len(it.registered) == 1
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(it.sign_ins[0]).query)
    assert it.sign_ins[0].startswith(house["issuer"])
    assert (query["code_challenge_method"], query["resource"]) == (["S256"], [house["mcp"]])


def tools_come_in_order_and_say_what_they_do(alice):
    tools = alice.tools()
    assert list(tools) == sorted(tools)
    assert {"whoami", "search", "fetch", "files_write", "share_create", "event_update"} <= set(tools)
    for name, tool in tools.items():
        assert tool["title"] and tool["description"] and tool["outputSchema"]["type"] == "object", name
        assert "readOnlyHint" in tool["annotations"] and "openWorldHint" in tool["annotations"], name
    assert tools["files_read"]["annotations"]["readOnlyHint"] is True
    assert tools["files_delete"]["annotations"]["destructiveHint"] is True


def a_client_acts_for_who_signed_in(alice, bob):
    assert alice.call("whoami")["user_id"] == "alice"
    assert bob.call("whoami")["user_id"] == "bob"


def a_file_is_written_found_read_shared_and_deleted(alice, bob, name):
    path, text = f"/{name}.txt", f"Grüße\n{name}\n"
    written = alice.call("files_write", path=path, text=text)
    assert written["ok"] and written["etag"]
    found = lambda client: [item["path"] for item in client.call("files_search", name=f"{name}*")["items"]]
    assert found(alice) == [path]
    read = alice.call("files_read", path=path)
    assert (read["text"], read["etag"]) == (text, written["etag"])

    # Clients that show resources read the same.
    contents = alice.read(f"nextcloud://files{urllib.parse.quote(path)}")
    assert [part["text"] for part in contents] == [text]

    # Nothing of it is bob's.
    seen = lambda client: [item["path"] for item in client.call("files_list", limit=100)["items"] if name in item["path"]]
    assert seen(bob) == found(bob) == []
    with pytest.raises(ToolError):
        bob.call("files_read", path=path)
    with pytest.raises(Refused):
        bob.read(f"nextcloud://files{urllib.parse.quote(path)}")

    share = alice.call("share_create", path=path, kind="user", permissions=["read"], **{"with": "bob"})
    assert (share["path"], share["with"]) == (path, "bob")
    assert seen(bob) == [path]
    assert bob.call("files_read", path=path)["text"] == text
    with pytest.raises(ToolError):
        bob.call("files_write", path=path, text="mine", etag=written["etag"])

    assert alice.call("files_delete", path=path)["ok"]
    with pytest.raises(ToolError):
        alice.call("files_read", path=path)
    with pytest.raises(ToolError):
        bob.call("files_read", path=path)
    # Deleted is not lost.
    trashed = [item["path"] for item in alice.call("files_list", trash=True, limit=100)["items"] if name in item["path"]]
    assert len(trashed) == 1
    assert alice.call("files_restore", path=trashed[0])["ok"]
    assert alice.call("files_read", path=path)["text"] == text
    assert alice.call("files_delete", path=path)["ok"]


def what_somebody_else_changed_is_not_overwritten(alice, name):
    path = f"/{name}.txt"
    first = alice.call("files_write", path=path, text="one")
    second = alice.call("files_write", path=path, text="two", etag=first["etag"])
    with pytest.raises(ToolError) as stale:
        alice.call("files_write", path=path, text="three", etag=first["etag"])
    assert second["etag"] in str(stale.value)
    assert alice.call("files_read", path=path)["text"] == "two"
    alice.call("files_delete", path=path)


def _utc(time):
    return datetime.datetime.fromisoformat(time).astimezone(datetime.UTC).strftime("%m-%d %H:%M")


def a_recurring_event_is_created_found_each_time_and_moved(alice, bob, name):
    window = {"start": "2027-03-01T00:00:00Z", "end": "2027-04-30T00:00:00Z", "query": name}
    starts = lambda client: [_utc(item["start"]) for item in client.call("events_find", **window)["items"]]
    # Across the last Sunday of March: nine o'clock in Berlin is an hour earlier from then on.
    event = alice.call(
        "event_create",
        title=name,
        start="2027-03-16T09:00:00",
        end="2027-03-16T10:00:00",
        timezone="Europe/Berlin",
        rrule="FREQ=WEEKLY;COUNT=4",
    )
    assert event["recurring"] is True
    assert starts(alice) == ["03-16 08:00", "03-23 08:00", "03-30 07:00", "04-06 07:00"]
    assert starts(bob) == []

    moved = alice.call(
        "event_update",
        id=event["id"],
        etag=event["etag"],
        start="2027-03-17T14:30:00",
        end="2027-03-17T15:30:00",
        timezone="Europe/Berlin",
    )
    assert moved["etag"] != event["etag"]
    assert starts(alice) == ["03-17 13:30", "03-24 13:30", "03-31 12:30", "04-07 12:30"]
    assert alice.call("event_delete", id=event["id"])["ok"]
    assert starts(alice) == []


NONSENSE = [
    ("no_such_tool", {}),
    ("files_read", {}),
    ("files_read", {"path": 7}),
    ("files_read", {"path": "/a", "surprise": True}),
    ("files_read", {"path": "/../bob/secret.txt"}),
    ("files_read", {"path": "/a\u0000b"}),
    ("files_list", {"limit": 0}),
    ("files_list", {"cursor": "of my own making"}),
    ("events_find", {"start": "yesterday", "end": "2027-01-01T00:00:00Z"}),
]


def what_cannot_be_is_said_clearly(alice):
    for tool, arguments in NONSENSE:
        with pytest.raises((Refused, ToolError)) as refusal:
            alice.call(tool, **arguments)
        text = str(refusal.value)
        assert len(text) > 10 and "nternal" not in text and "50" not in text, text
    # And the client goes on.
    assert alice.call("whoami")["user_id"] == "alice"
