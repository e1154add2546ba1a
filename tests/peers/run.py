"""The benchmark's 200,000 events: answers equal to DuckDB's and ClickHouse's through every way of asking, or it fails.

`tributary-bench` loads them, asks the engine, `tools/call` and both peers, and compares. What is left here is asked of the folder
it leaves: the command line, REST, and an export from which q6 is computed again, so that nothing was lost on the way in.
`generate.py` and `peers.py` come from the bench folder beside the project (BENCH, default ../shared/bench). DuckDB anchors the
funnel (q5, q15) at each visitor's first step and is not compared there; ClickHouse's definition is the one to match.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import ROOT, Checks, Server, binary, shorten  # noqa: E402

BENCH = os.environ.get("BENCH", os.path.join(ROOT, "..", "shared", "bench"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
MONTH = ("2025-08-01", "2025-08-31")
ALL = ("2025-06-01", "2025-10-01")
STEPS = ["page_view", "add_to_cart", "checkout", "purchase"]
ANY_ORDER = {"q1", "q3"}


def main():
    checks = Checks("peers")
    if not os.path.exists(os.path.join(BENCH, "peers.py")):
        checks.say(f"there is no {os.path.normpath(BENCH)}; set BENCH to the folder with generate.py and peers.py. Nothing was compared.")
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="tributary-peers-") as work:
        report, answers = bench(checks, work)
        for question, found in report["questions"].items():
            theirs = found.get("differences", {})
            checks.that(f"{question}: {found['rows']} rows equal the peers'", found.get("equal"), theirs)
        for question, found in report["tools"].items():
            checks.that(f"{question} through {found['tool']}: equal to the engine", found["equal"])
        with open(os.path.join(work, f"loaded-{EVENTS}.json")) as file:
            loaded = json.load(file)
        with Server(folder=loaded["data"], settings={"log.filter": "warn"}) as server:
            server.start()
            over_the_command_line(checks, server, answers, os.path.join(work, "exported.parquet"))
            over_rest(checks, server, loaded["keys"]["rk"], answers)
            checks.equal("the server stops cleanly", server.stop(), 0)
    checks.finish()


def bench(checks, work):
    """Runs the benchmark; its report and our answers by the questions' numbers."""
    program = os.path.join(os.path.dirname(binary()), "tributary-bench")
    report, answers = os.path.join(work, "report.json"), os.path.join(work, "answers.json")
    done = subprocess.run(
        [program, "--rows", str(EVENTS), "--work", work, "--peers", os.path.join(BENCH, "peers.py"), "--python", sys.executable,
         "--rounds", "1", "--parts", "engine,tools", "--json", report, "--answers", answers], capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: an answer differs, which the report names
        raise RuntimeError(f"tributary-bench left with {done.returncode}: {done.stderr[-3000:]}")
    for line in done.stdout.splitlines():
        checks.say(line)
    with open(report) as file, open(answers) as other:
        return json.load(file), {name.split("_")[0]: rows for name, rows in json.load(other).items()}


def instant(text):
    """An instant as the benchmark writes it: microseconds since the epoch."""
    since = datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return str(since // datetime.timedelta(microseconds=1))


def cents(amount):
    return str(int((Decimal(str(amount or 0)) * 100).to_integral_value()))


def query(server, kind, *flags, between=ALL):
    return server.run("query", kind, "--workspace", "bench", "--from", between[0], "--to", between[1], *flags)["rows"]


def over_the_command_line(checks, server, expected, exported):
    found = {}
    rows = query(server, "stats", "--metric", "events", "--where", "event_name=page_view", "--interval", "day", "--limit", "1000")
    found["q1"] = [[instant(row["bucket"]), row["events"]] for row in rows if row["events"]]
    found["q2"] = [[query(server, "stats", "--metric", "visitors", between=MONTH)[0]["visitors"]]]
    rows = query(server, "stats", "--metric", "visitors", "--group-by", "source,medium", "--interval", "day", "--limit", "50000", between=MONTH)
    found["q3"] = [[row["source"], row["medium"], instant(row["bucket"]), row["visitors"]] for row in rows]
    rows = query(server, "stats", "--metric", "events", "--metric", "visitors", "--metric", "amount:USD", "--group-by", "source,medium", "--limit", "10000")
    rows.sort(key=lambda row: (-row["events"], row["source"], row["medium"]))
    found["q4"] = [[row["source"], row["medium"], row["events"], row["visitors"], cents(row["amount:USD"])] for row in rows[:20]]
    rows = query(server, "funnel", *(part for step in STEPS for part in ("--step", step)), "--window", "7d", "--mode", "strict_increase")
    found["q5"] = [[row["reached"] for row in rows]]
    server.run("export", "--workspace", "bench", "--format", "parquet", "--out", exported)
    found["q6"] = last_touch(exported)
    rows = query(server, "journey", "--visitor", greatest_visitor(exported), "--limit", "500")
    found["q7"] = [[instant(row["timestamp"]), row["event_name"], row["source"], row["path"]] for row in rows]
    rows = query(server, "events", "--where", "event_name=signup", "--where", "source=facebook", "--limit", "50", between=("2025-08-01", ALL[1]))
    found["q8"] = [[instant(row["timestamp"]), row["anonymous_id"], row["path"]] for row in rows]
    for name, rows in found.items():
        same(checks, f"{name} over the command line" if name != "q6" else "q6 out of the export", name, rows, expected)


def over_rest(checks, server, rk, expected):
    everything, month = {"from": ALL[0], "to": ALL[1]}, {"from": MONTH[0], "to": MONTH[1]}
    rows = server.get("/v1/stats", rk, event="page_view", interval="day", limit=1000, **everything)[1]["rows"]
    same(checks, "q1 over REST", "q1", [[instant(row["bucket"]), row["value"]] for row in rows if row["value"]], expected)
    same(checks, "q2 over REST", "q2", [[row["value"]] for row in server.get("/v1/stats", rk, metric="uniques", **month)[1]["rows"]], expected)
    rows = server.get("/v1/sources", rk, limit=20, **everything)[1]["rows"]
    without_revenue = {"q4": [row[:4] for row in expected["q4"]]}
    same(checks, "q4 over REST", "q4", [[row["source"], row["medium"], row["events"], row["uniques"]] for row in rows], without_revenue)
    rows = server.get("/v1/query", rk, event="signup", source="facebook", limit=50, **{"from": "2025-08-01", "to": ALL[1]})[1]["rows"]
    same(checks, "q8 over REST", "q8", [[instant(row["timestamp"]), row["anonymous_id"], row["path"]] for row in rows], expected)


def same(checks, claim, name, rows, expected):
    rows = [[str(cell) for cell in row] for row in rows]
    if name in ANY_ORDER:
        rows.sort()
    checks.that(claim, rows == expected[name], f"found {shorten(rows, 300)}, expected {shorten(expected[name], 300)}")


def greatest_visitor(exported):
    import duckdb
    return duckdb.sql(f"select max(anonymous_id::ubigint)::varchar from '{exported}'").fetchall()[0][0]


def last_touch(exported):
    import duckdb
    rows = duckdb.sql(f"""
        select t.source, t.medium, count(*) n, sum(c.amount::decimal(18, 6)) r
        from (select anonymous_id, timestamp, amount from '{exported}' where event = 'purchase') c
        asof join (select anonymous_id, timestamp, source, medium from '{exported}' where source <> 'direct') t
        on c.anonymous_id = t.anonymous_id and c.timestamp >= t.timestamp
        group by 1, 2 order by n desc, 1, 2 limit 20""").fetchall()
    return [[source, medium, n, cents(r)] for source, medium, n, r in rows]


main()
