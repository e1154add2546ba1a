"""One peer, kept open: answers questions one by one, so that rounds can be interleaved with another engine's.

    python3 driver.py serve --engine duckdb --peers peers.py --work DIR --people FILE --giant FILE --threads 2
    python3 driver.py ask   --engine duckdb --peers peers.py --work DIR --threads 2 --question q3_…

`serve` reads one JSON line `{"question": NAME}` per question on standard input and writes one line per answer:
`{"ms": 12.3, "rows": [["…"]]}`. `ask` opens the database, asks once and writes `{"open_ms", "ms"}`.
The databases are those that peers.py has built in DIR; its questions are read out of its source, so this file repeats none of
them. The further questions below need two more tables, which `serve` makes: `people` (visitor_id, person) and `giant`.
"""
import argparse
import json
import os
import sys
import time

MONTH = "ts >= timestamp '2025-08-01 00:00:00' and ts < timestamp '2025-08-31 00:00:00'"
LAST_HOUR = "ts >= timestamp '2025-09-13 14:06:40' and ts < timestamp '2025-09-13 15:06:40'"
LAST_DAY = "ts >= timestamp '2025-09-12 15:06:40' and ts < timestamp '2025-09-13 15:06:40'"
LAST_WEEK = "ts >= timestamp '2025-09-06 15:06:40' and ts < timestamp '2025-09-13 15:06:40'"
GIANT = "(select max(visitor_id) from giant)"


def on_clickhouse(text):
    """ClickHouse spells instants as plain text."""
    return text.replace("timestamp '", "'")


def funnel_of(text, table):
    """peers.py's funnel over another table: a giant's funnel is the same question."""
    return text.replace("from ev ", f"from {table} ")


def further(questions):
    """Questions peers.py does not ask: DuckDB's text and ClickHouse's."""
    def both(duckdb, clickhouse):
        return duckdb, on_clickhouse(clickhouse)

    funnel = questions["q5_funnel_4_steps_7d"]
    return {
        "q9_last_hour": both(
            f"select count(*), count(distinct visitor_id) from ev where project_id = 1 and {LAST_HOUR}",
            f"select count(), uniqExact(visitor_id) from ev where project_id = 1 and {LAST_HOUR}"),
        "q10_last_24h_by_hour": both(
            f"select date_trunc('hour', ts) h, count(*) n, count(distinct visitor_id) u from ev where project_id = 1 and {LAST_DAY} group by 1 order by 1",
            f"select toStartOfHour(ts) h, count() n, uniqExact(visitor_id) u from ev where project_id = 1 and {LAST_DAY} group by h order by h"),
        "q11_uniques_by_path_7d": both(
            f"select path, count(distinct visitor_id) u from ev where project_id = 1 and {LAST_WEEK} group by 1 order by u desc, path limit 200",
            f"select path, uniqExact(visitor_id) u from ev where project_id = 1 and {LAST_WEEK} group by path order by u desc, path limit 200"),
        "q12_uniques_by_person_30d": both(
            f"select count(distinct coalesce(people.person, ev.visitor_id)) from ev left join people on people.visitor_id = ev.visitor_id where project_id = 1 and {MONTH}",
            f"select uniqExact(if(people.person = 0, ev.visitor_id, people.person)) from ev left any join people on people.visitor_id = ev.visitor_id where project_id = 1 and {MONTH}"),
        "q13_by_json_property_90d": (
            "select json_extract_string(properties, '$.plan') p, count(*) n, count(distinct visitor_id) u from ev where project_id = 1 group by 1 order by n desc, p",
            "select JSONExtractString(properties, 'plan') p, count() n, uniqExact(visitor_id) u from ev where project_id = 1 group by p order by n desc, p"),
        "q14_giant_journey": (
            f"select ts, event, source, path from giant where project_id = 1 and visitor_id = {GIANT} order by ts limit 500",
            f"select ts, event, source, path from giant where project_id = 1 and visitor_id = {GIANT} order by ts limit 500"),
        "q15_giant_funnel_7d": (funnel_of(funnel[0], "giant"), funnel_of(funnel[1], "giant")),
    }


def questions_of(path):
    """QUESTIONS of peers.py: its source without the last line, which would run it."""
    with open(path) as file:
        source = file.read()
    body = source.rstrip()
    if not body.endswith("\nmain()"):
        sys.exit(f"{path} does not end by calling main(); this driver expects peers.py of the bench folder")
    module = {"__name__": "peers", "__file__": path}
    exec(compile(body[: -len("main()")], path, "exec"), module)
    return module["QUESTIONS"]


class DuckDb:
    def __init__(self, work, threads):
        import duckdb
        self.version = duckdb.__version__
        self.connection = duckdb.connect(os.path.join(work, "ev.duckdb"))
        self.connection.execute(f"set threads = {threads}")

    def complete(self, people, giant):
        have = {row[0] for row in self.connection.execute("select table_name from information_schema.tables").fetchall()}
        if "people" not in have:
            columns = "{'visitor_id': 'UBIGINT', 'person': 'UBIGINT'}"
            self.connection.execute(f"create table people as select * from read_csv('{people}', header = true, columns = {columns})")
        if "giant" not in have:
            self.connection.execute(f"create table giant as select * from '{giant}' order by project_id, ts")
        self.connection.execute("checkpoint")

    def ask(self, texts):
        begin = time.perf_counter()
        rows = self.connection.execute(texts[0]).fetchall()
        took = time.perf_counter() - begin
        return took, [list(map(str, row)) for row in rows]


class ClickHouse:
    def __init__(self, work, threads):
        import chdb
        from chdb import session
        self.version = getattr(chdb, "engine_version", chdb.__version__)
        self.session = session.Session(os.path.join(work, "ch"))
        self.session.query("use d")
        self.session.query(f"set max_threads = {threads}")

    def complete(self, people, giant):
        have = set(str(self.session.query("show tables", "TSV")).split())
        if "people" not in have:
            self.session.query("create table people (visitor_id UInt64, person UInt64) engine = MergeTree order by visitor_id")
            self.session.query(f"insert into people select * from file('{os.path.abspath(people)}', CSVWithNames, 'visitor_id UInt64, person UInt64')")
        if "giant" not in have:
            self.session.query("create table giant as ev")
            self.session.query(f"insert into giant select * from file('{os.path.abspath(giant)}', Parquet)")
            self.session.query("optimize table giant final")

    def ask(self, texts):
        begin = time.perf_counter()
        answer = self.session.query(texts[1], "TSV")
        took = time.perf_counter() - begin
        return took, [line.split("\t") for line in str(answer).splitlines()]


ENGINES = {"duckdb": DuckDb, "clickhouse": ClickHouse}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("command", choices=["serve", "ask"])
    arguments.add_argument("--engine", choices=sorted(ENGINES), required=True)
    arguments.add_argument("--peers", required=True)
    arguments.add_argument("--work", required=True)
    arguments.add_argument("--people")
    arguments.add_argument("--giant")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--question")
    given = arguments.parse_args()
    questions = questions_of(given.peers)
    questions = {**questions, **further(questions)}
    begin = time.perf_counter()
    engine = ENGINES[given.engine](given.work, given.threads)
    open_ms = (time.perf_counter() - begin) * 1000
    if given.command == "ask":
        took, _ = engine.ask(questions[given.question])
        print(json.dumps({"open_ms": open_ms, "ms": took * 1000}), flush=True)
        return
    engine.complete(given.people, given.giant)
    print(json.dumps({"version": engine.version}), flush=True)
    for line in sys.stdin:
        try:
            took, rows = engine.ask(questions[json.loads(line)["question"]])
            print(json.dumps({"ms": took * 1000, "rows": rows}), flush=True)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}), flush=True)


main()
