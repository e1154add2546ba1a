"""Four real MCP clients at both doors of a demo server: they list and call every tool, read every resource, and what they
get equals what REST and what the other clients got.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Checks, demo, shorten  # noqa: E402

RANGE = {"from": "2026-04-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}
NODE = os.environ.get("TRIBUTARY_NODE", "node")
PACKAGES = os.environ["TRIBUTARY_NODE_PACKAGES"]  # the folder that holds node_modules


def main():
    checks = Checks("clients")
    server, made = demo(settings={"log.filter": "warn"})
    with server:
        first, second = made["workspaces"][:2]
        rk, sk, ak = first["keys"]["rk"], first["keys"]["sk"], made["ak"]
        names = [row["event_name"] for row in server.get("/v1/stats", rk, group_by="event_name", limit=5, **RANGE)[1]["rows"]]
        checks.that("the demo has events in April", len(names) >= 3, names)

        questions = [
            ("query_events", {**RANGE, "event": names[0], "limit": 7}),
            ("get_stats", {**RANGE, "metric": "uniques", "group_by": "source,medium"}),
            ("get_stats", {**RANGE, "metric": "count", "interval": "day"}),
            ("top_sources", {**RANGE, "limit": 20}),
            ("funnel", {**RANGE, "steps": names[:3]}),
        ]
        key_door = {"url": f"{server.url}/mcp", "key": rk, "calls": questions, "resources": ["events://recent", "schema://events"]}
        tracking = {"event": "harness_called", "anonymous_id": "harness", "properties": {"n": 1}}
        writing = {**key_door, "key": sk, "calls": [["track_event", tracking]], "resources": []}
        account_door = {
            "url": f"{server.url}/mcp/account", "key": ak, "resources": ["projects://all", "schema://events"],
            "calls": [("list_projects", {}), ("compare_projects", {**RANGE, "metric": "uniques"})]
            + [(name, {**arguments, "project_slug": first["slug"]}) for name, arguments in questions]
            + [("get_stats", {**RANGE, "group_by": "project_id,source"})],
        }
        rest = rest_answers(server, rk, names)

        clients = {"Inspector CLI": inspector, "Python mcp": python_client,
                   "TypeScript sdk": lambda plan: typescript("sdk", plan), "TypeScript client": lambda plan: typescript("client", plan)}
        for name, client in clients.items():
            found = client(key_door)
            checks.equal(f"{name} at /mcp lists the read tools", sorted(found["tools"]), ["funnel", "get_stats", "query_events", "top_sources"])
            for (tool, _), answer, expected in zip(questions, found["calls"], rest):
                if expected is None:  # REST has no funnel; the steps must at least narrow and begin with REST's uniques
                    users = [row["users"] for row in answer]
                    checks.that(f"{name} at /mcp: {tool} narrows step by step", len(users) == 3 and users == sorted(users, reverse=True), answer)
                else:
                    checks.equal(f"{name} at /mcp: {tool} answers what REST answers", answer, expected)
            checks.equal(f"{name} at /mcp lists its resources", sorted(found["listed"]), ["events://recent", "schema://events"])
            checks.that(f"{name} at /mcp reads the last events", len(rows_of(found["resources"]["events://recent"])) > 0)

            before = len(rows_of(found["resources"]["events://recent"]))
            found = client(writing)
            checks.that(f"{name} at /mcp with sk_ tracks an event", found["calls"][0].get("ok") is True and before > 0, found["calls"])

            found = client(account_door)
            checks.equal(f"{name} at /mcp/account lists six tools", len(found["tools"]), 6)
            checks.equal(f"{name} at /mcp/account sees both workspaces", sorted(row["slug"] for row in found["calls"][0]),
                         sorted([first["slug"], second["slug"]]))
            compared = {row["slug"]: row["value"] for row in found["calls"][1]}
            uniques = [server.get("/v1/stats", space["keys"]["rk"], metric="uniques", **utc(RANGE))[1]["rows"][0]["value"] for space in (first, second)]
            checks.equal(f"{name} at /mcp/account compares as REST counts", [compared[first["slug"]], compared[second["slug"]]], uniques)
            for (tool, _), answer, expected in zip(questions, found["calls"][2:], rest):
                if expected is not None and tool != "query_events":
                    checks.equal(f"{name} at /mcp/account: {tool} of one workspace answers what REST answers", answer, expected)
            checks.equal(f"{name} at /mcp/account reads both resources", sorted(found["resources"]), ["projects://all", "schema://events"])
        tracked = server.get("/v1/stats", rk, event="harness_called", from_="2026-05-01", to="2100-01-01")[1]["rows"]
        checks.equal("each client's tracked event is counted", tracked[0]["value"] if tracked else 0, len(clients))
    checks.finish()


def utc(range_):
    return {"from": range_["from"], "to": range_["to"]}


def rest_answers(server, rk, names):
    rows = lambda path, **query: server.get(path, rk, **query)[1]["rows"]  # noqa: E731
    return [
        rows("/v1/query", event=names[0], limit=7, **RANGE),
        rows("/v1/stats", metric="uniques", group_by="source,medium", **RANGE),
        rows("/v1/stats", metric="count", interval="day", **RANGE),
        rows("/v1/sources", limit=20, **RANGE),
        None,
    ]


def rows_of(content):
    return content if isinstance(content, list) else content.get("rows") or content.get("events") or []


def python_client(plan):
    return run([sys.executable, os.path.join(HERE, "python_client.py")], plan)


def typescript(package, plan):
    return run([NODE, os.path.join(HERE, "typescript_client.mjs"), package], plan)


def run(command, plan):
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{command}: {shorten(done.stderr[-3000:])}")
    return json.loads(done.stdout)


def inspector(plan):
    """The Inspector's command line: one process per call."""
    with tempfile.TemporaryDirectory() as storage:
        environment = {**os.environ, "MCP_STORAGE_DIR": storage, "MCP_INSPECTOR_SECRET_STORE": "file"}
        base = [NODE, os.path.join(PACKAGES, "node_modules", ".bin", "mcp-inspector"), "--cli", plan["url"], "--transport", "http",
                "--protocol-era", "legacy", "--header", f"Authorization: Bearer {plan['key']}", "--format", "json"]

        def ask(method, *more):
            done = subprocess.run([*base, "--method", method, *more], capture_output=True, text=True, timeout=120, env=environment)
            if done.returncode:
                raise RuntimeError(f"inspector {method} {more}: {done.returncode} {shorten(done.stderr[-3000:])}")
            answer = json.loads(done.stdout)
            return answer.get("result", answer)

        ask("initialize")
        out = {"tools": [tool["name"] for tool in ask("tools/list")["tools"]], "calls": [], "resources": {}}
        for name, arguments in plan["calls"]:
            result = ask("tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
            out["calls"].append(json.loads(result["content"][0]["text"]))
        out["listed"] = [resource["uri"] for resource in ask("resources/list")["resources"]]
        for uri in plan["resources"]:
            out["resources"][uri] = json.loads(ask("resources/read", "--uri", uri)["contents"][0]["text"])
        return out


main()
