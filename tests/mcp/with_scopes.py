"""A token that grants too little: what the caller is told, and clients that ask for more by themselves."""

import re

import httpx2
import pytest

import driver
import person

GRANTED = "nc.read files.read"


def _call(house, token, tool, arguments):
    """A request as a client without any OAuth would make it."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    return httpx2.post(house["mcp"], json=body, headers=headers, timeout=60, trust_env=False)


def _challenge(answer):
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


@pytest.fixture(scope="module")
def tokens(house):
    """alice agreed to reading only."""
    return person.log_in("alice", house["issuer"], GRANTED, house["mcp"])


def a_caller_is_told_which_scope_is_missing(house, tokens, name):
    answer = _call(house, tokens["access_token"], "files_write", {"path": f"/{name}.txt", "text": "x"})
    challenge = _challenge(answer)
    assert (answer.status_code, challenge["error"]) == (403, "insufficient_scope")
    asked = set(challenge["scope"].split())
    # All that the call takes and what was granted already, so that nothing is lost by a new login.
    assert {"nc.read", "files.read", "files.write"} <= asked
    assert asked <= set(tokens["scope"].split()) | {"files.write"}
    metadata = httpx2.get(challenge["resource_metadata"], trust_env=False).json()
    assert (metadata["resource"], metadata["authorization_servers"]) == (house["mcp"], [house["issuer"]])


def what_was_granted_is_not_refused(house, tokens):
    assert _call(house, tokens["access_token"], "files_list", {}).status_code == 200


def without_a_token_the_challenge_has_no_error(house):
    answer = httpx2.post(house["mcp"], json={}, timeout=60, trust_env=False)
    challenge = _challenge(answer)
    assert answer.status_code == 401
    assert "error" not in challenge and "offline_access" not in challenge["scope"].split()
    assert challenge["resource_metadata"].endswith("/.well-known/oauth-protected-resource/mcp")


@pytest.mark.parametrize("client", driver.ASKS_FOR_MORE)
def a_client_asks_for_more_when_it_needs_it(client, house, tokens, name):
    # Each its own: a refresh token is good once.
    tokens = person.log_in("alice", house["issuer"], GRANTED, house["mcp"])
    path = f"/{name}.txt"
    with driver.Client(client, house["mcp"], person.Person("alice"), tokens=tokens, client_id="mcp-client") as alice:
        alice.call("files_list")
        assert alice.sign_ins == []
        assert alice.call("files_write", path=path, text="x")["ok"]
        assert len(alice.sign_ins) == 1
        assert {"nc.read", "files.read", "files.write"} <= alice.granted[-1]
        # And has it from then on.
        assert alice.call("files_delete", path=path)["ok"]
        assert len(alice.sign_ins) == 1
