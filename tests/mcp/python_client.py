"""The Python SDK as a client of one server: see `driver.py` for what is said on stdin and stdout.

    python_client.py <url> <auto|legacy|2026-07-28>
"""

import asyncio
import json
import os
import sys
import urllib.parse

import httpx2
import mcp
import mcp_types
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

URL, MODE = sys.argv[1:]
REDIRECT = os.environ["OBO_REDIRECT"]


def say(**message):
    print(json.dumps(message), flush=True)


async def heard():
    return await asyncio.to_thread(sys.stdin.readline)


class Memory:
    """Nothing outlives the process."""

    def __init__(self, tokens, client):
        self.tokens, self.client = tokens, client

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens
        say(granted=tokens.scope)

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client
        say(registered=client.client_id)


async def redirect(url):
    say(sign_in=url)


async def callback():
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(json.loads(await heard())["callback"]).query))
    return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


async def question(_, asked):
    say(asks=asked.message)
    action = json.loads(await heard())["action"]
    return mcp_types.ElicitResult(action=action, content={} if action == "accept" else None)


def plain(result):
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


async def obey(client, command):
    if command["method"] == "tools/list":
        tools, cursor = [], None
        while True:
            page = plain(await client.list_tools(cursor=cursor))
            tools += page["tools"]
            cursor = page.get("nextCursor")
            if not cursor:
                return {"tools": tools}
    if command["method"] == "tools/call":
        return plain(await client.call_tool(command["name"], command["arguments"]))
    if command["method"] == "resources/read":
        return plain(await client.read_resource(command["uri"]))
    raise ValueError(command["method"])


async def main():
    known, tokens = os.environ.get("OBO_CLIENT_ID"), os.environ.get("OBO_TOKENS")
    if known:
        known = OAuthClientInformationFull(client_id=known, redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    if tokens:
        tokens = OAuthToken.model_validate_json(tokens)
    metadata = OAuthClientMetadata(client_name="Python", redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    auth = OAuthClientProvider(URL, metadata, Memory(tokens, known), redirect, callback)
    headers = {}
    if token := os.environ.get("OBO_TOKEN"):
        auth, headers = None, {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(auth=auth, headers=headers, timeout=60) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode=MODE, elicitation_callback=question) as client:
            say(ready=client.session.protocol_version)
            while line := await heard():
                try:
                    say(result=await obey(client, json.loads(line)))
                except mcp.MCPError as error:
                    say(error={"code": error.error.code, "message": error.error.message, "data": error.error.data})
                except Exception as error:  # what the transport found
                    say(error={"message": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except BaseException as error:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        say(failed=f"{type(error).__name__}: {error}")
        raise
