"""The Inspector's command line, which looks at schemas more strictly than clients do."""

import json
import os
import re
import socket
import subprocess
import threading

import httpx2
import pytest

import driver
import person

ERAS = ["legacy", "auto", "modern"]


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _inspect(house, home, era, *arguments, token=None):
    """Its exit code, what it printed, and what it complained of. Somebody signs in if it asks for that."""
    command = [os.environ["OBO_INSPECTOR"], "--cli", house["mcp"], "--transport", "http", "--protocol-era", era, "--format", "json"]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        # Without a terminal it asks nobody unless it may open a browser. It finds none, and prints the address.
        "MCP_AUTO_OPEN_ENABLED": "true",
        "MCP_INSPECTOR_SECRET_STORE": "memory",
        "MCP_OAUTH_CALLBACK_URL": f"http://127.0.0.1:{_free_port()}/oauth/callback",
    }
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment
    )
    alarm = threading.Timer(driver.PATIENCE, process.kill)
    alarm.start()
    printed = []
    reader = threading.Thread(target=lambda: printed.append(process.stdout.read()))
    reader.start()
    complaints, sign_ins = [], 0
    try:
        for line in process.stderr:
            complaints.append(line)
            if address := re.search(r"http\S+/auth\?\S+", line):
                sign_ins += 1
                assert httpx2.get(person.Person("alice").sign_in(address[0]), timeout=60, trust_env=False).status_code == 200
        code = process.wait()
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()
    return code, printed[0], "".join(complaints), sign_ins


@pytest.mark.parametrize("era", ERAS)
def it_finds_nothing_wrong_with_the_tools(house, tmp_path, era):
    code, printed, complaints, sign_ins = _inspect(house, tmp_path, era, "--method", "tools/list", "--strict")
    assert code == 0, complaints
    assert sign_ins == 1
    assert not re.search(r"warning|error|portab", complaints, re.IGNORECASE), complaints
    assert "files_write" in [tool["name"] for tool in json.loads(printed)["result"]["tools"]]


@pytest.mark.parametrize("era", ERAS)
def it_calls_a_tool_with_a_token_that_it_was_given(house, tmp_path, era):
    token = person.log_in("alice", house["issuer"], "nc.read", house["mcp"])["access_token"]
    arguments = ["--method", "tools/call", "--tool-name", "whoami"]
    code, printed, complaints, sign_ins = _inspect(house, tmp_path, era, *arguments, token=token)
    assert (code, sign_ins) == (0, 0), complaints
    assert json.loads(printed)["result"]["structuredContent"]["user_id"] == "alice"
