"""A client of an SDK in a process of its own, and the person who sits before it.

A client says JSON, one message a line: `{"registered": id}`, `{"sign_in": url}`, `{"granted": scopes}`, `{"asks": text}` (an
elicitation), `{"ready": protocol version}`, `{"failed": text}`, and to each command `{"result": …}` or `{"error": {"code": …, "message": …}}`.
It hears `{"callback": url}` after a sign-in, `{"action": "accept"}` or `"decline"` to a question, and commands: `{"method": "tools/list"}`, `{"method": "tools/call", "name": …, "arguments": …}`, `{"method": "resources/read",
"uri": …}`.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent
# Nobody listens there: the person carries what comes back to the client.
REDIRECT = "http://127.0.0.1:17654/callback"
# For a whole answer of a client, with its start and a login in it, on a machine that has more to do.
PATIENCE = 120

# MCP 2025-11-25, "URL Elicitation Required Error".
URL_FIRST = -32042

CLIENTS = {
    "python auto": ("python", "auto"),
    "python legacy": ("python", "legacy"),
    "typescript 1": ("typescript", "1"),
    "typescript 2 auto": ("typescript", "auto"),
    "typescript 2 legacy": ("typescript", "legacy"),
    "typescript 2 pinned": ("typescript", "2026-07-28"),
}

# TypeScript's first generation, told that a scope is missing, refreshes its token. That changes nothing, and it gives up.
ASKS_FOR_MORE = [name for name in CLIENTS if name != "typescript 1"]


class Refused(Exception):
    """A JSON-RPC error, or what the transport found."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.code, self.message, self.data = error.get("code"), error["message"], error.get("data")


class ToolError(Exception):
    """The tool ran and says what went wrong."""


class Client:
    """Runs `CLIENTS[name]` against `url`. `person` sits before it. `token` is one that it was given instead of all authorization, `tokens` what
    an earlier login of client `client_id` gave, `client_id` alone a client that need not register."""

    def __init__(self, name, url, person=None, token=None, tokens=None, client_id=None):
        language, mode = CLIENTS[name]
        program = {
            "python": [sys.executable, str(HERE / "python_client.py")],
            "typescript": [os.environ["OBO_NODE"], os.environ["OBO_TYPESCRIPT"]],
        }[language]
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "HOME")}
        more = {"OBO_REDIRECT": REDIRECT, "OBO_TOKEN": token, "OBO_CLIENT_ID": client_id, "no_proxy": "*", "NO_PROXY": "*"}
        if tokens:
            more["OBO_TOKENS"] = json.dumps(tokens)
        self.person, self.sign_ins, self.granted, self.registered = person, [], [], []
        # What it asked the person, who agrees unless told otherwise.
        self.asked, self.agrees = [], True
        self.process = subprocess.Popen(
            [*program, url, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**kept, **{name: value for name, value in more.items() if value}},
        )
        try:
            self.protocol = self._until("ready")
        except BaseException:
            self.close()
            raise

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tools(self):
        """All tools, by name."""
        return {tool["name"]: tool for tool in self._ask(method="tools/list")["tools"]}

    def call(self, tool, /, **arguments):
        """What a tool answers, structured. Where it sends the person to a page first, the person goes there and says yes."""
        try:
            result = self._ask(method="tools/call", name=tool, arguments=arguments)
        except Refused as refused:
            if refused.code != URL_FIRST or not self.agrees:
                raise
            [page] = refused.data["elicitations"]
            assert page["mode"] == "url" and page["elicitationId"], page
            self.asked.append(page["message"])
            self.person.confirm(page["url"])
            result = self._ask(method="tools/call", name=tool, arguments=arguments)
        if result.get("isError"):
            raise ToolError(" ".join(part.get("text", "") for part in result["content"]))
        structured = result["structuredContent"]
        # Clients that know nothing of structure read the same as text.
        assert json.loads(result["content"][0]["text"]) == structured
        return structured

    def read(self, uri):
        return self._ask(method="resources/read", uri=uri)["contents"]

    def _ask(self, **command):
        self._tell(command)
        return self._until("result")

    def _tell(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def _until(self, wanted):
        # A client that says nothing is ended, and then has said so.
        alarm = threading.Timer(PATIENCE, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                message = json.loads(line)
                if "sign_in" in message:
                    self.sign_ins.append(message["sign_in"])
                    self._tell({"callback": self.person.sign_in(message["sign_in"])})
                elif "asks" in message:
                    self.asked.append(message["asks"])
                    self._tell({"action": "accept" if self.agrees else "decline"})
                elif "granted" in message:
                    self.granted.append(set((message["granted"] or "").split()))
                elif "registered" in message:
                    self.registered.append(message["registered"])
                elif wanted in message:
                    return message[wanted]
                elif "error" in message:
                    raise Refused(message["error"])
                elif "failed" in message:
                    raise Refused({"message": message["failed"]})
                else:
                    raise AssertionError(message)
        finally:
            alarm.cancel()
        raise AssertionError(f"the client ended, or said nothing for {PATIENCE} s")
