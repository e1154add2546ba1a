"""The official Python client in its default mode (it probes for the newest protocol and falls back): runs a plan of calls (JSON on stdin) and prints what came back (JSON)."""
import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main():
    plan = json.load(sys.stdin)
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {plan['key']}"}, timeout=60) as http:
        async with Client(streamable_http_client(plan["url"], http_client=http)) as client:
            tools = (await client.list_tools()).tools
            out = {"server": client.server_info.name, "tools": [tool.name for tool in tools], "calls": [], "resources": {}}
            for name, arguments in plan["calls"]:
                result = await client.call_tool(name, arguments)
                out["calls"].append(json.loads(result.content[0].text))
            out["listed"] = [str(resource.uri) for resource in (await client.list_resources()).resources]
            for uri in plan["resources"]:
                out["resources"][uri] = json.loads((await client.read_resource(uri)).contents[0].text)
    print(json.dumps(out))


asyncio.run(main())
