"""Every example of Millimetric's two MCP pages, with only host and key changed, on a workspace seeded for May 2026.

The arguments below are those of the pages. Answers are held to the documented statuses, codes and shapes, the numbers to
what the seeding sent, and the REST answers to this server's own /openapi.json.
"""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Checks, Server, bearer, shorten  # noqa: E402

# (how many, event, url parameters, referrer, visitors among them); one per six hours from May 2nd on.
TRAFFIC = [
    (6, "$pageview", "utm_source=facebook&utm_medium=cpc&utm_campaign=spring", None, 3),
    (4, "$pageview", "", "https://m.facebook.com/", 4),
    (8, "$pageview", "", "https://www.google.com/", 5),
    (5, "$pageview", "", None, 5),
    (3, "signup", "utm_source=facebook&utm_medium=cpc", None, 3),
    (2, "signup", "", "https://www.google.com/", 2),
]
MAY = {"from": "2026-05-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}
FIRST_HALF = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-17T00:00:00Z"}
WEEK = {"from": "2026-05-10T00:00:00Z", "to": "2026-05-17T00:00:00Z"}


def main():
    checks = Checks("documented")
    with Server() as server:
        server.start()
        shop = server.make_workspace("Acme Storefront", "acme-storefront")
        blog = server.make_workspace("Acme Blog", "acme-blog", account=shop["account"])
        seed(checks, server, shop["keys"]["sk"], "shop")
        seed(checks, server, blog["keys"]["sk"], "blog", TRAFFIC[:2])
        keys = {**shop["keys"], "ak": shop["ak"]}
        admission(checks, server, keys)
        key_door(checks, server, keys)
        resources(checks, server, keys)
        json_rpc_errors(checks, server, keys)
        account_door(checks, server, keys, shop, blog)
        curl_examples(checks, server, keys)
        rest(checks, server, keys)
        checks.equal("the server stops cleanly", server.stop(), 0)
    checks.finish()


def seed(checks, server, key, name, traffic=tuple(TRAFFIC)):
    events, hour = [], 0
    for group, (count, event, query, referrer, visitors) in enumerate(traffic):
        for number in range(count):
            hour += 6
            events.append({
                "event": event, "event_id": f"{name}-{group}-{number}", "anonymous_id": f"{name}_{group}_{number % visitors}",
                "timestamp": f"2026-05-{2 + hour // 24:02}T{hour % 24:02}:00:00Z",
                "url": f"https://{name}.example/landing" + (f"?{query}" if query else ""), "referrer": referrer,
            })
            if referrer is None:
                del events[-1]["referrer"]
    status, body = server.post("/v1/batch", {"events": events}, key)
    checks.equal(f"seeding {len(events)} events of May 2026 into {name}", (status, body["ok"], body["count"]), (202, True, len(events)))


def admission(checks, server, keys):
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    wrong_secret = keys["rk"][:-4] + ("aaaa" if keys["rk"][-4:] != "aaaa" else "bbbb")
    swapped = "sk" + keys["rk"][2:]
    for claim, path, key, status, error in [
        ("no key", "/mcp", None, 401, "missing_bearer_token"),
        ("a token of another shape", "/mcp", "hello", 401, "malformed_api_key"),
        ("a wrong secret", "/mcp", wrong_secret, 401, "invalid_api_key"),
        ("another kind's letters before a real key", "/mcp", swapped, 401, "key_kind_mismatch"),
        ("a pk_ key", "/mcp", keys["pk"], 403, "key_kind_not_allowed"),
        ("an ak_ key", "/mcp", keys["ak"], 403, "key_kind_not_allowed"),
        ("no key", "/mcp/account", None, 401, "missing_bearer_token"),
        ("an rk_ key", "/mcp/account", keys["rk"], 403, "account_key_required"),
        ("an sk_ key", "/mcp/account", keys["sk"], 403, "account_key_required"),
        ("a pk_ key", "/mcp/account", keys["pk"], 403, "account_key_required"),
    ]:
        found = server.post(path, listing, key)
        checks.equal(f"{path} with {claim}: {status} {error}", (found[0], found[1].get("error")), (status, error))


def tool_names(server, key, path="/mcp"):
    reply = server.post(path, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, key)[1]
    return [tool["name"] for tool in reply["result"]["tools"]]


def key_door(checks, server, keys):
    read_tools = {"query_events", "get_stats", "top_sources", "funnel"}
    checks.equal("rk_ sees the read tools", set(tool_names(server, keys["rk"])), read_tools)
    checks.equal("sk_ sees track_event as well", set(tool_names(server, keys["sk"])), read_tools | {"track_event"})

    arguments = {"event": "agent_task_completed", "anonymous_id": "agent_001", "user_id": "user_42",
                 "properties": {"task": "refactor_billing", "duration_ms": 12400}}
    reply = server.call(keys["sk"], "track_event", arguments)
    checks.that("track_event answers ok", json.loads(text_of(reply)).get("ok") is True, reply)
    refused = server.call(keys["rk"], "track_event", arguments)
    checks.equal("track_event with rk_ lacks the scope", refused.get("error"),
                 {"code": -32000, "message": "insufficient_scope", "data": {"required": "ingest", "got": "read"}})

    rows = server.rows(keys["rk"], "query_events", {**FIRST_HALF, "event": "signup", "source": "facebook", "limit": 50})
    checks.equal("query_events finds the three signups from facebook", [row["event_name"] for row in rows], ["signup"] * 3)
    checks.that("its rows are documented ones", all({"timestamp", "anonymous_id", "source", "medium", "properties"} <= row.keys() for row in rows), rows)

    rows = server.rows(keys["rk"], "get_stats", {"metric": "uniques", **FIRST_HALF, "group_by": "source,medium", "interval": "day"})
    checks.that("get_stats rows hold bucket, groups and value", rows and all({"bucket", "source", "medium", "value"} <= row.keys() for row in rows), rows)

    rows = server.rows(keys["rk"], "top_sources", {**MAY, "breakdown": "source_medium", "limit": 20})
    found = {(row["source"], row["medium"]): (row["events"], row["uniques"], row["paid_share"]) for row in rows}
    checks.equal("top_sources splits facebook into paid and social", found, {
        ("facebook", "paid"): (9, 6, 1), ("facebook", "social"): (4, 4, 0), ("google", "organic"): (10, 7, 0), ("direct", "direct"): (5, 5, 0)})

    rows = server.rows(keys["rk"], "funnel", {**MAY, "steps": ["$pageview", "signup"]})
    checks.equal("funnel has a row per step", len(rows), 2)


def text_of(reply):
    if "result" not in reply:
        raise RuntimeError(shorten(reply))
    content = reply["result"]["content"]
    assert len(content) == 1 and content[0]["type"] == "text", content
    return content[0]["text"]


def read_resource(server, key, uri, path="/mcp"):
    return server.post(path, {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}, key)[1]


def resources(checks, server, keys):
    recent = json.loads(read_resource(server, keys["rk"], "events://recent")["result"]["contents"][0]["text"])
    checks.that("events://recent holds the agent's event first", "agent_task_completed" in json.dumps(recent), recent)
    names = json.dumps(read_resource(server, keys["rk"], "schema://events"))
    checks.that("schema://events names the event of today", "agent_task_completed" in names, names)


def json_rpc_errors(checks, server, keys):
    def code(body, key="rk", path="/mcp"):
        headers = {"Content-Type": "application/json", **bearer(keys[key])}
        status, _, answer = server.request("POST", path, headers, body if isinstance(body, bytes) else json.dumps(body).encode())
        error = json.loads(answer).get("error", {})
        return status, error.get("code"), error.get("message")

    call = lambda name, arguments: {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}  # noqa: E731
    literal = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track_event","arguments":{"event":"e","properties":{"duration_ms":12_400}}}}'
    for claim, body, expected, path, key in [
        ("the page's 12_400 is not JSON", literal, (200, -32600, "invalid_request"), "/mcp", "sk"),
        ("an envelope without method", {"jsonrpc": "2.0", "id": 1}, (200, -32600, "invalid_request"), "/mcp", "rk"),
        ("a batch", [{"jsonrpc": "2.0", "id": 1, "method": "ping"}], (200, -32600, "invalid_request"), "/mcp", "rk"),
        ("an unknown method", {"jsonrpc": "2.0", "id": 1, "method": "tools/fly"}, (200, -32601, "method_not_found"), "/mcp", "rk"),
        ("an unknown tool", call("top_page", MAY), (200, -32602, "unknown_tool"), "/mcp", "rk"),
        ("an account tool at the key door", call("list_projects", {}), (200, -32602, "unknown_tool"), "/mcp", "rk"),
        ("an unknown resource", {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "events://all"}},
         (200, -32602, "unknown_resource"), "/mcp", "rk"),
        ("an unknown project id", call("get_stats", {**MAY, "project_id": "00000000-0000-4000-8000-000000000000"}),
         (200, -32004, "unknown_project_id"), "/mcp/account", "ak"),
        ("an unknown project slug", call("get_stats", {**MAY, "project_slug": "nobody"}), (200, -32004, "unknown_project_slug"), "/mcp/account", "ak"),
    ]:
        checks.equal(f"{claim}: {expected[1]} {expected[2]}", code(body, key, path), expected)

    empty = find_account_without_projects(server)
    reply = server.call(empty, "get_stats", MAY, "/mcp/account")
    checks.equal("an account without workspaces: -32005", reply.get("error", {}).get("code"), -32005)
    checks.equal("but its list_projects answers an empty list", server.rows(empty, "list_projects", {}, "/mcp/account"), [])


def find_account_without_projects(server):
    from harness import find
    account = find(server.run("account", "create", "--name", "Empty", "--plan", "business"), "id")
    return find(server.run("key", "create", "--account", str(account), "--kind", "ak", "--label", "empty"), "token")


def account_door(checks, server, keys, shop, blog):
    path, key = "/mcp/account", keys["ak"]
    checks.equal("ak_ sees six tools", set(tool_names(server, key, path)),
                 {"list_projects", "query_events", "get_stats", "top_sources", "funnel", "compare_projects"})
    projects = server.rows(key, "list_projects", {}, path)
    checks.equal("list_projects lists both workspaces", sorted(project["slug"] for project in projects), ["acme-blog", "acme-storefront"])

    one = server.rows(key, "query_events", {**FIRST_HALF, "project_slug": "acme-storefront", "limit": 50}, path)
    checks.that("query_events of one project has no project_id column", one and all("project_id" not in row for row in one), one[:2])
    every = server.rows(key, "query_events", {**FIRST_HALF, "limit": 50}, path)
    checks.equal("query_events of all names each row's project", {row["project_id"] for row in every}, {shop["uuid"], blog["uuid"]})

    rows = server.rows(key, "get_stats", {"metric": "count", **MAY, "group_by": "project_id,source"}, path)
    found = {(row["project_id"], row["source"]): row["value"] for row in rows}
    checks.equal("get_stats groups by project and source", found.get((blog["uuid"], "facebook")), 10)
    checks.equal("over the page's week it answers rows", isinstance(server.rows(key, "get_stats", {
        "metric": "count", **WEEK, "group_by": "project_id,source"}, path), list), True)

    rows = server.rows(key, "compare_projects", {**MAY, "metric": "uniques"}, path)
    checks.equal("compare_projects ranks by uniques, with slug and name", [(row["slug"], row["name"], row["value"]) for row in rows],
                 [("acme-storefront", "Acme Storefront", 22), ("acme-blog", "Acme Blog", 7)])
    rows = server.rows(key, "compare_projects", {**WEEK, "metric": "uniques"}, path)
    checks.equal("over the page's week it lists both", len(rows), 2)

    for uri in ["projects://all", "schema://events"]:
        reply = read_resource(server, key, uri, path)
        checks.that(f"{uri} answers", "contents" in reply.get("result", {}), reply)


def curl_examples(checks, server, keys):
    if not checks.that("curl is installed", shutil.which("curl"), "apt-get install curl"):
        return
    for claim, body in [
        ("tools/list", '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'),
        ("top_sources", '{\n"jsonrpc":"2.0","id":2,"method":"tools/call",\n"params":{\n"name":"top_sources",\n"arguments":{\n'
                        '"from":"2026-05-01T00:00:00Z",\n"to":"2026-06-01T00:00:00Z",\n"breakdown":"source_medium",\n"limit":20\n}\n}\n}'),
    ]:
        done = subprocess.run(["curl", "-s", "-X", "POST", f"{server.url}/mcp", "-H", f"Authorization: Bearer {keys['rk']}",
                               "-H", "Content-Type: application/json", "-d", body], capture_output=True, text=True)
        reply = json.loads(done.stdout)
        checks.that(f"the page's curl line for {claim} answers", "result" in reply and reply["jsonrpc"] == "2.0", reply)
        if claim == "top_sources":
            checks.equal("with one text block", [block["type"] for block in reply["result"]["content"]], ["text"])
            first = json.loads(reply["result"]["content"][0]["text"])[0]
            checks.equal("that holds a JSON list of rows", list(first)[:3], ["source", "medium", "events"])


def spend_and_contacts(server, keys):
    """What ads cost, then a contact of a company: the ids come out of the answers."""
    row = {"source": "google_ads", "account_id": "123-456-7890", "campaign_id": "2001", "campaign_name": "Brand", "date": "2026-05-04",
           "currency": "EUR", "spend": "41.27", "impressions": 1840, "clicks": 96}
    days = {"from": "2026-05-01", "to": "2026-06-01"}
    contacts, companies = "/public-api/v1/contacts", "/public-api/v1/companies"
    person = {"emails": ["ann@acme-documented.com"], "names": ["Ann Example"]}
    ever = {"start_date": "2020-01-01 00:00:00", "end_date": "2099-01-01 00:00:00"}
    made = server.post(contacts, person, keys["sk"])
    contact = made[1].get("id")
    listed = server.get(companies, keys["rk"])
    company = next((one["id"] for one in listed[1].get("data", [])), 0)
    return [
        ("post", "/v1/spend", 200, server.post("/v1/spend", {"rows": [row]}, keys["sk"])),
        ("post", "/v1/spend", 200, server.post("/v1/spend", {"rows": [row, {"source": "x"}]}, keys["sk"])),
        ("post", "/v1/spend", 400, server.post("/v1/spend", {"rows": []}, keys["sk"])),
        ("post", "/v1/spend", 403, server.post("/v1/spend", {"rows": [row]}, keys["rk"])),
        ("get", "/v1/spend", 200, server.get("/v1/spend", keys["rk"], by="date,campaign", **days)),
        ("get", "/v1/spend", 400, server.get("/v1/spend", keys["rk"], by="colour", **days)),
        ("post", contacts, 201, made),
        ("post", contacts, 403, server.post(contacts, person, keys["rk"])),
        ("post", contacts, 422, server.post(contacts, {"emails": []}, keys["sk"])),
        ("get", contacts, 200, server.get(contacts, keys["rk"], include_all_emails="1", include_custom_fields="1", **ever)),
        ("get", contacts, 422, server.get(contacts, keys["rk"], per_page="0", **ever)),
        ("get", contacts + "/{id}", 200, server.get(f"{contacts}/{contact}", keys["rk"])),
        ("get", contacts + "/{id}", 404, server.get(f"{contacts}/999999999", keys["rk"])),
        ("put", contacts + "/{id}", 200, put(server, f"{contacts}/{contact}", {"names": ["Ann"]}, keys["sk"])),
        ("put", contacts + "/{id}", 422, put(server, f"{contacts}/{contact}", {}, keys["sk"])),
        ("get", companies, 200, listed),
        ("get", companies + "/{id}", 200, server.get(f"{companies}/{company}", keys["rk"])),
        ("get", companies + "/{id}", 404, server.get(f"{companies}/999999999", keys["rk"])),
        ("put", companies + "/{id}", 200, put(server, f"{companies}/{company}", {"name": "Acme"}, keys["sk"])),
    ]


def definitions(server, keys):
    """What conversions are made of: a type, an endpoint, rules over both, and a label of a contact's field."""
    base = "/public-api/v1/"
    types, fields, rules, endpoints = base + "custom-events", base + "contact-fields", base + "event-mappings", base + "webhook-endpoints"
    answers = []

    def called(method, described, status, answer):
        answers.append((method, described, status, answer))
        return answer[1]

    sk, rk = keys["sk"], keys["rk"]
    called("put", types + "/{slug}", 200, put(server, f"{types}/custom_event_2", {"label": "Deal Created", "include_in_gross_revenue": True}, sk))
    called("put", types + "/{slug}", 404, put(server, f"{types}/sale", {"label": "Sale"}, sk))
    called("put", types + "/{slug}", 409, put(server, f"{types}/custom_event_3", {"label": "deal created"}, sk))
    called("put", types + "/{slug}", 422, put(server, f"{types}/custom_event_3", {}, sk))
    called("put", types + "/{slug}", 403, put(server, f"{types}/custom_event_3", {"label": "x"}, rk))
    called("get", types, 200, server.get(types, rk))
    called("delete", types + "/{slug}", 200, delete(server, f"{types}/custom_event_2", sk))
    called("put", fields + "/{slot}", 200, put(server, f"{fields}/profile_field_5", {"label": "Customer Plan"}, sk))
    called("put", fields + "/{slot}", 422, put(server, f"{fields}/profile_field_5", {}, sk))
    called("get", fields, 200, server.get(fields, rk))
    called("delete", fields + "/{slot}", 200, delete(server, f"{fields}/profile_field_5", sk))
    called("delete", fields + "/{slot}", 404, delete(server, f"{fields}/profile_field_31", sk))
    endpoint = called("post", endpoints, 201, server.post(endpoints, {"name": "Shopify", "provider": "shopify"}, sk)).get("id")
    called("post", endpoints, 422, server.post(endpoints, {"name": "Shopify", "provider": "shop"}, sk))
    called("get", endpoints, 200, server.get(endpoints, rk))
    called("get", endpoints + "/{id}", 200, server.get(f"{endpoints}/{endpoint}", rk))
    called("put", endpoints + "/{id}", 200, put(server, f"{endpoints}/{endpoint}", {"is_active": False}, sk))
    called("post", endpoints + "/{id}/rotate", 200, server.post(f"{endpoints}/{endpoint}/rotate", {}, sk))
    source = {"webhook": {"endpoint": endpoint, "conditions": [{"path": "test", "operator": "not_equal_to", "value": True}],
                          "fields": {"email": {"path": "email"}, "amount": {"path": "total_price", "required": True}}}}
    rule = called("post", rules, 201, server.post(rules, {"name": "Shopify orders", "to": "purchase", "source": source}, sk)).get("id")
    called("post", rules, 201, server.post(rules, {"name": "Checkout", "to": "purchase", "source": {"event": "checkout_done"}}, sk))
    called("post", rules, 409, server.post(rules, {"name": "Checkout", "to": "purchase", "source": {"event": "checkout_done"}}, sk))
    called("post", rules, 422, server.post(rules, {"name": "Checkout"}, sk))
    called("get", rules, 200, server.get(rules, rk))
    called("get", rules + "/{id}", 200, server.get(f"{rules}/{rule}", rk))
    called("get", rules + "/{id}", 404, server.get(f"{rules}/999999999", rk))
    called("put", rules + "/{id}", 200, put(server, f"{rules}/{rule}", {"name": "Orders"}, sk))
    called("post", rules + "/{id}/preview", 200, server.post(f"{rules}/{rule}/preview", {"email": "ann@acme.com", "total_price": "49.90"}, rk))
    called("post", rules + "/{id}/preview", 422, server.post(f"{rules}/{rule}/preview", {"test": True}, rk))
    called("delete", endpoints + "/{id}", 409, delete(server, f"{endpoints}/{endpoint}", sk))
    called("delete", rules + "/{id}", 200, delete(server, f"{rules}/{rule}", sk))
    called("delete", endpoints + "/{id}", 200, delete(server, f"{endpoints}/{endpoint}", sk))
    return answers


def metrics(server, keys):
    """Metric questions, and what is saved of them."""
    base = "/public-api/v1/"
    answers = []

    def called(method, route, status, answer):
        answers.append((method, base + route, status, answer))
        return answer[1]

    sk, rk = keys["sk"], keys["rk"]
    question = {"date_range": "custom", "date_start": "2026-05-01", "date_end": "2026-05-31", "attribution_model": "last_touch",
                "attribution_window": 30, "metrics": ["purchase", "amount_spent", "roas"], "group_by": ["source"]}
    created = {"start_date": "2020-01-01 00:00:00", "end_date": "2030-01-01 00:00:00", "group_by": ["month"]}
    for route in ["contacts/aggregate", "companies/aggregate"]:
        called("post", route, 200, server.post(base + route, created, rk))
        called("post", route, 422, server.post(base + route, {**created, "group_by": ["moon"]}, rk))
    called("get", "ads/{level}", 200, server.get(base + "ads/account", rk))
    called("get", "ads/{level}", 422, server.get(base + "ads/keyword", rk))
    first = server.get(base + "ads/campaign", rk)[1]["data"][0]
    called("get", "ads/{level}/{source}/{id}", 200, server.get(f"{base}ads/campaign/{first['source']}/{first['id']}", rk))
    called("get", "ads/{level}/{source}/{id}", 404, server.get(base + "ads/ad/google_ads/nothing", rk))
    for route in ["metrics", "dimensions", "attribution-models"]:
        called("get", route, 200, server.get(base + route, rk))
    called("post", "metrics/query", 200, server.post(base + "metrics/query", question, rk))
    called("post", "metrics/query", 422, server.post(base + "metrics/query", {**question, "metrics": ["roass"]}, rk))
    called("post", "metrics/compare", 200, server.post(base + "metrics/compare", {**question, "compare_to": "previous_year"}, rk))
    under = {name: value for name, value in question.items() if name != "attribution_model"}
    called("post", "metrics/models", 200, server.post(base + "metrics/models", {**under, "attribution_models": ["linear", "markov"]}, rk))
    called("post", "metrics/breakdown", 200, server.post(base + "metrics/breakdown", {**question, "metrics": ["purchase"]}, rk))
    called("get", "date-range", 200, server.get(base + "date-range", rk, relative="compare last week to the week before"))
    called("get", "date-range", 422, server.get(base + "date-range", rk, preset="last_8_days"))
    called("get", "search", 200, server.get(base + "search", rk, query="purchase"))
    called("get", "search", 422, server.get(base + "search", rk))
    formula = {"type": "percent", "expression": "(gross_revenue - amount_spent) / gross_revenue"}
    segment = {"behaviours": [{"event": "purchase", "within_days": 3650}]}
    saved = []
    for route, definition in [("custom-metrics", formula), ("segments", segment), ("reports", {"type": "bar", "question": question}), ("dashboards", None)]:
        definition = definition or {"cards": [{"report_id": saved[-1][1], "width": 12}]}
        item = called("post", route, 201, server.post(base + route, {"name": "Documented", "definition": definition}, sk))["id"]
        saved.append((route, item))
        called("post", route, 409, server.post(base + route, {"name": "documented", "definition": definition}, sk))
        called("post", route, 422, server.post(base + route, {"name": "x", "definition": {"nothing": 1}}, sk))
        called("get", route, 200, server.get(base + route, rk))
        called("get", route + "/{id}", 200, server.get(f"{base}{route}/{item}", rk))
        called("put", route + "/{id}", 200, put(server, f"{base}{route}/{item}", {"name": "Documented twice"}, sk))
        called("put", route + "/{id}", 403, put(server, f"{base}{route}/{item}", {"name": "Documented twice"}, rk))
    ids = dict(saved)
    called("get", "segments/{id}/members", 200, server.get(f"{base}segments/{ids['segments']}/members", rk))
    called("get", "reports/{id}/run", 200, server.get(f"{base}reports/{ids['reports']}/run", rk, date_range="q2_2026"))
    called("get", "dashboards/{id}/run", 200, server.get(f"{base}dashboards/{ids['dashboards']}/run", rk))
    called("get", "dashboards/{id}/run", 404, server.get(base + "dashboards/999999999/run", rk))
    called("delete", "reports/{id}", 409, delete(server, f"{base}reports/{ids['reports']}", sk))
    for route, item in reversed(saved):
        called("delete", route + "/{id}", 200, delete(server, f"{base}{route}/{item}", sk))
    return answers


def conversions(server, keys):
    root = "/public-api/v1"
    events = root + "/events"
    may = {"start_date": "2026-05-01 00:00:00", "end_date": "2026-05-31 23:59:59"}
    sale = {"event_name": "purchase", "email": "ann@acme-documented.com", "amount": 89.5, "currency": "EUR", "order_id": "99812",
            "event_time": "2026-05-13T14:22:10Z", "url": "https://shop.example/thanks?order=99812", "comet_source": "email", "profile_field_1": "Pro"}
    tracked = server.post(events + "/track", sale, keys["sk"])
    listed = server.get(events, keys["rk"], fields="id,amount,ad_name", sources="email", attribution_model="last_touch",
                        attribution_window="30", **may)
    one = next((row["id"] for row in listed[1].get("data", [])), 0)
    counted = {**may, "group_by": ["day", "event_name", "source"]}
    answers = [
        ("post", events + "/track", 202, tracked),
        ("post", events + "/track", 202, server.post(events + "/track", sale, keys["sk"])),
        ("post", events + "/track", 422, server.post(events + "/track", {"event_name": "sale"}, keys["sk"])),
        ("post", events + "/track", 403, server.post(events + "/track", sale, keys["rk"])),
        ("get", events, 200, listed),
        ("get", events, 200, server.get(events, keys["rk"], **may)),
        ("get", events, 422, server.get(events, keys["rk"], per_page="0", **may)),
        ("get", events + "/{id}", 200, server.get(f"{events}/{one}", keys["rk"])),
        ("get", events + "/{id}", 404, server.get(f"{events}/1", keys["rk"])),
        ("post", events + "/aggregate", 200, server.post(events + "/aggregate", counted, keys["rk"])),
        ("post", events + "/aggregate", 422, server.post(events + "/aggregate", {}, keys["rk"])),
        ("get", root + "/event-types", 200, server.get(root + "/event-types", keys["rk"])),
        ("get", root + "/exports/{id}/file", 404, server.get(root + "/exports/1/file", expires="1", signature="x")),
    ]
    for kind, body in [("events", {"date": "2026-05-13"}), ("contacts", may), ("companies", may)]:
        path = f"{root}/{kind}/exports"
        queued = server.post(path, body, keys["rk"])
        state = (0, {})
        for _ in range(100):
            state = server.get(f"{path}/{queued[1].get('export_id')}", keys["rk"])
            if state[1].get("status") in ("completed", "failed", None):
                break
            time.sleep(2.1)
        answers += [("post", path, 202, queued), ("get", path + "/{id}", 200, state),
                    ("get", path + "/{id}", 404, server.get(f"{path}/999999", keys["rk"]))]
    return answers


def put(server, path, body, key):
    headers = {"Content-Type": "application/json", **bearer(key)}
    status, _, answer = server.request("PUT", path, headers, json.dumps(body).encode())
    return status, json.loads(answer)


def delete(server, path, key):
    status, _, answer = server.request("DELETE", path, bearer(key))
    return status, json.loads(answer)


def rest(checks, server, keys):
    status, document = server.get("/openapi.json")
    checks.equal("the OpenAPI document is served", (status, document["openapi"][:3]), (200, "3.1"))
    event = {"event": "signup", "event_id": "doc-1", "anonymous_id": "u_1", "properties": {"plan": "pro"}}
    answers = [
        ("post", "/v1/track", 202, server.post("/v1/track", event, keys["sk"])),
        ("post", "/v1/track", 202, server.post("/v1/track", {"event": "x"}, keys["sk"])),
        ("post", "/v1/track", 400, server.post("/v1/track", {}, keys["sk"])),
        ("post", "/v1/track", 401, server.post("/v1/track", event)),
        ("post", "/v1/track", 403, server.post("/v1/track", event, keys["rk"])),
        ("post", "/v1/track", 403, server.post("/v1/track", event, keys["pk"])),
        ("post", "/v1/batch", 202, server.post("/v1/batch", {"events": [event, {"event": "y"}]}, keys["sk"])),
        ("post", "/v1/batch", 400, server.post("/v1/batch", {"events": []}, keys["sk"])),
        ("post", "/v1/batch", 400, server.post("/v1/batch", {"events": [{"event": "z"}] * 1001}, keys["sk"])),
        ("post", "/v1/identify", 200, server.post("/v1/identify", {"anonymous_id": "u_1", "user_id": "user_9", "traits": {"plan": "pro"}}, keys["sk"])),
        ("post", "/v1/identify", 400, server.post("/v1/identify", {"user_id": "user_9"}, keys["sk"])),
        ("post", "/v1/import", 200, server.post("/v1/import", {"rows": [
            {"event": "order_completed", "event_id": "imp-1", "timestamp": "2026-06-12T09:30:00Z", "source": "newsletter", "amount": "49.90", "currency": "EUR"},
            {"event": "too_old", "timestamp": "1990-01-01T00:00:00Z"}]}, keys["sk"])),
        ("post", "/v1/import", 403, server.post("/v1/import", {"rows": [{"event": "x"}]}, keys["rk"])),
        ("post", "/v1/forget", 200, server.post("/v1/forget", {"user_id": "user_9"}, keys["sk"])),
        ("post", "/v1/forget", 403, server.post("/v1/forget", {"user_id": "user_9"}, keys["pk"])),
        ("get", "/v1/query", 200, server.get("/v1/query", keys["rk"], **MAY)),
        ("get", "/v1/query", 400, server.get("/v1/query", keys["rk"], limit=5000, **MAY)),
        ("get", "/v1/query", 403, server.get("/v1/query", keys["pk"], **MAY)),
        ("get", "/v1/stats", 200, server.get("/v1/stats", keys["rk"], group_by="source,medium", interval="day", **MAY)),
        ("get", "/v1/stats", 200, server.get("/v1/stats", keys["rk"], metric="uniques", interval="month", **MAY)),
        ("get", "/v1/stats", 400, server.get("/v1/stats", keys["rk"], group_by="colour", **MAY)),
        ("get", "/v1/stats", 400, server.get("/v1/stats", keys["rk"], to="2026-05-01")),
        ("get", "/v1/sources", 200, server.get("/v1/sources", keys["rk"], **MAY)),
        ("get", "/v1/sources", 200, server.get("/v1/sources", keys["rk"], breakdown="source", **MAY)),
        *spend_and_contacts(server, keys),
        *definitions(server, keys),
        *metrics(server, keys),
        *conversions(server, keys),
        ("get", "/v1/sources", 401, server.get("/v1/sources", "rk_live_00000000_nothing", **MAY)),
    ]
    for method, path, expected, (status, body) in answers:
        name = f"{method.upper()} {path} answers {expected}"
        if checks.that(name, status == expected, f"{status} {shorten(body)}"):
            checks.equal(f"{name} as its schema says", violations(document, method, path, status, body), [])
    seen = {(method, path) for method, path, _, _ in answers}
    described = {(method, path) for path, methods in document["paths"].items() for method in methods
                 if path != "/v1/a.js" and method != "parameters"}
    checks.equal("every described route was called", sorted(described - seen), [])

    query = server.get("/v1/query", keys["rk"], event="signup", limit=1, **MAY)[1]["rows"][0]
    checks.that("properties come back as JSON text", isinstance(query["properties"], str) and isinstance(json.loads(query["properties"]), dict), query)


def violations(document, method, path, status, body):
    import jsonschema
    response = document["paths"][path][method]["responses"].get(str(status))
    if response is None:
        return [f"{status} is not described"]
    while "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(body)]


main()
