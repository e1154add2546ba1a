"""The benchmark's 200,000 events, imported, and its eight questions answered by three engines: equal answers, or it fails.

`generate.py` and `peers.py` come from the bench folder beside the project (BENCH, default ../shared/bench). Tributary is asked
over the command line (`tributary query --json`) and, where a route or tool exists, over REST and MCP. DuckDB anchors the
funnel (q5) at each visitor's first step and is not compared there; ClickHouse's definition is the one to match.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import ROOT, Checks, Server, binary  # noqa: E402

BENCH = os.environ.get("BENCH", os.path.join(ROOT, "..", "shared", "bench"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
MONTH = ("2025-08-01", "2025-08-31")
ALL = ("2025-06-01", "2025-10-01")
STEPS = ["page_view", "add_to_cart", "checkout", "purchase"]


def main():
    checks = Checks("peers")
    if not os.path.exists(os.path.join(BENCH, "peers.py")):
        checks.say(f"there is no {os.path.normpath(BENCH)}; set BENCH to the folder with generate.py and peers.py. Nothing was compared.")
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="tributary-peers-") as work, Server(settings={"log.filter": "warn"}) as server:
        file = os.path.join(work, "events.parquet")
        run(checks, [sys.executable, os.path.join(BENCH, "generate.py"), str(EVENTS), file])
        peers = json.loads(run(checks, [sys.executable, os.path.join(BENCH, "peers.py"), file, work, "--runs", "1"]))
        server.start()
        made = server.make_workspace("Bench", "bench")
        rk = made["keys"]["rk"]
        begin = time.monotonic()
        mapping = os.path.join(ROOT, "examples", "mappings", "bench.toml")
        report = server.run("import", "events", "--workspace", "bench", "--mapping", mapping, file)
        checks.say(f"imported in {time.monotonic() - begin:.1f} s: {json.dumps(report)[:300]}")
        exported = os.path.join(work, "exported.parquet")
        server.run("export", "--workspace", "bench", "--format", "parquet", "--out", exported)
        ours = answers(server, exported)
        for question, engines in peers.items():
            if not question.startswith("q"):
                continue
            name = question.split("_")[0]
            for engine, result in engines.items():
                if name == "q5" and engine == "duckdb":
                    continue
                theirs = [tuple(normal(cell) for cell in row) for row in result["answer"]]
                if name in MONEY_LAST:  # an engine may print 9847 for 9847.00
                    theirs = [(*row[:-1], f"{Decimal(row[-1]):.2f}") for row in theirs]
                checks.equal(f"{question}: {len(theirs)} rows equal {engine}'s ({result['ms']} ms there)", sorted(ours[name]) if name in UNORDERED else ours[name],
                             sorted(theirs) if name in UNORDERED else theirs)
        over_rest_and_mcp(checks, server, rk, ours)
        checks.equal("the server stops cleanly", server.stop(), 0)
    checks.finish()


UNORDERED = {"q1", "q3"}
MONEY_LAST = {"q4", "q6"}


def run(checks, command):
    checks.say(" ".join(os.path.basename(part) for part in command))
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr[-3000:]}")
    return done.stdout


def normal(cell):
    """A peer's cell as ours: times as UTC seconds or microseconds without zone, numbers as numbers, money with two decimals."""
    text = cell.strip()
    for pattern in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.datetime.strptime(text, pattern).isoformat()
        except ValueError:
            pass
    if text in ("None", "\\N", "nan"):
        return "0.00"
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    return int(number) if "." not in text else f"{number:.2f}"


def instant(text):
    return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat()


def query(server, kind, *flags, between=ALL):
    return server.run("query", kind, "--workspace", "bench", "--from", between[0], "--to", between[1], *flags)["rows"]


def answers(server, exported):
    out = {}
    rows = query(server, "stats", "--metric", "events", "--where", "event_name=page_view", "--interval", "day", "--limit", "1000")
    out["q1"] = [(instant(row["bucket"]), row["events"]) for row in rows if row["events"]]
    out["q2"] = [(query(server, "stats", "--metric", "visitors", between=MONTH)[0]["visitors"],)]
    rows = query(server, "stats", "--metric", "visitors", "--group-by", "source,medium", "--interval", "day", "--limit", "50000", between=MONTH)
    out["q3"] = [(row["source"], row["medium"], instant(row["bucket"]), row["visitors"]) for row in rows]
    rows = query(server, "stats", "--metric", "events", "--metric", "visitors", "--metric", "amount:USD", "--group-by", "source,medium", "--limit", "10000")
    rows.sort(key=lambda row: (-row["events"], row["source"], row["medium"]))
    out["q4"] = [(row["source"], row["medium"], row["events"], row["visitors"], f"{Decimal(str(row['amount:USD'] or 0)):.2f}") for row in rows[:20]]
    rows = query(server, "funnel", *(part for step in STEPS for part in ("--step", step)), "--window", "7d", "--mode", "strict_increase")
    out["q5"] = [tuple(row["reached"] for row in rows)]
    out["q6"] = last_touch(exported)
    import duckdb
    visitor = duckdb.sql(f"select max(anonymous_id::ubigint)::varchar from '{exported}'").fetchall()[0][0]
    rows = query(server, "journey", "--visitor", visitor, "--limit", "500")
    out["q7"] = [(instant(row["timestamp"]), row["event_name"], row["source"], row["path"]) for row in rows]
    rows = query(server, "events", "--where", "event_name=signup", "--where", "source=facebook", "--limit", "50", between=("2025-08-01", ALL[1]))
    out["q8"] = [(instant(row["timestamp"]), int(row["anonymous_id"]), row["path"]) for row in rows]
    return out


def last_touch(exported):
    """Attribution is no question of the engine yet: q6 is asked of what Tributary exports, so that nothing was lost on the way."""
    import duckdb
    rows = duckdb.sql(f"""
        select t.source, t.medium, count(*) n, sum(c.amount::decimal(18, 6)) r
        from (select anonymous_id, timestamp, amount from '{exported}' where event = 'purchase') c
        asof join (select anonymous_id, timestamp, source, medium from '{exported}' where source <> 'direct') t
        on c.anonymous_id = t.anonymous_id and c.timestamp >= t.timestamp
        group by 1, 2 order by n desc, 1, 2 limit 20""").fetchall()
    return [(source, medium, n, f"{r:.2f}") for source, medium, n, r in rows]


def over_rest_and_mcp(checks, server, rk, ours):
    everything, month = {"from": ALL[0], "to": ALL[1]}, {"from": MONTH[0], "to": MONTH[1]}
    checks.equal("q2 over REST", server.get("/v1/stats", rk, metric="uniques", **month)[1]["rows"][0]["value"], ours["q2"][0][0])
    checks.equal("q2 over MCP", server.rows(rk, "get_stats", {"metric": "uniques", **month})[0]["value"], ours["q2"][0][0])
    for way, rows in [("REST", server.get("/v1/stats", rk, event="page_view", interval="day", limit=1000, **everything)[1]["rows"]),
                      ("MCP", server.rows(rk, "get_stats", {"event": "page_view", "interval": "day", "limit": 1000, **everything}))]:
        checks.equal(f"q1 over {way}", [(instant(row["bucket"]), row["value"]) for row in rows if row["value"]], ours["q1"])
    for way, rows in [("REST", server.get("/v1/sources", rk, limit=20, **everything)[1]["rows"]),
                      ("MCP", server.rows(rk, "top_sources", {"limit": 20, **everything}))]:
        checks.equal(f"q4 over {way}", [(row["source"], row["medium"], row["events"], row["uniques"]) for row in rows], [row[:4] for row in ours["q4"]])
    rows = server.get("/v1/query", rk, event="signup", source="facebook", limit=50, **{"from": "2025-08-01", "to": ALL[1]})[1]["rows"]
    checks.equal("q8 over REST", [(instant(row["timestamp"]), int(row["anonymous_id"]), row["path"]) for row in rows], ours["q8"])
    rows = server.rows(rk, "funnel", {"steps": STEPS, "window_seconds": 7 * 86_400, **everything})
    checks.equal("q5 over MCP", tuple(row["users"] for row in rows), ours["q5"][0])



main()
