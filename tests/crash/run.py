"""kill -9 while events come in at full rate, 20 rounds on one data folder: every acknowledged event is there exactly once.

Each round sends batches from four connections, kills the server at a random moment, starts it again, sends the batches that
got no answer once more (with the same event ids, as a client would), and compares what the folder holds for the round with
what was acknowledged. The thresholds are small, so that kills fall into flushes, trims and merges too.
"""
import collections
import datetime
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Checks, Server, bearer, binary  # noqa: E402

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
SENDERS = 4
BATCH = 250  # events per request
LONGEST_S = 2.5  # of sending before the kill
SETTINGS = {"limits.enforce": False, "engine.flush_events": 5_000, "engine.segment_rows": 20_000, "log.filter": "warn"}
FIRST_DAY = datetime.date(2026, 1, 1)


def main():
    checks = Checks("crash")
    seed = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(1 << 32))))
    dice = random.Random(seed)
    checks.say(f"{ROUNDS} rounds, {SENDERS} senders, {BATCH} events a request; repeat with CRASH_SEED={seed}")
    begin, sent, rate = time.monotonic(), 0, []
    with Server(settings=SETTINGS) as server:
        server.start()
        workspace = server.make_workspace("Crash", "crash")
        key = workspace["keys"]["sk"]
        expected = {}
        for number in range(ROUNDS):
            day = FIRST_DAY + datetime.timedelta(days=number)
            # A third of the kills comes at once, so that some hit the start of the log and the recovery of the round before.
            seconds = dice.uniform(0.01, 0.3) if dice.random() < 0.33 else dice.uniform(0.3, LONGEST_S)
            acknowledged, unanswered, seconds = ingest(server, key, day, number, seconds)
            if dice.random() < 0.25:  # and once more while it recovers
                interrupt_start(server, dice.uniform(0.0, 0.15))
            restarted = time.monotonic()
            server.start()
            recovery = time.monotonic() - restarted
            repeats = [server.post("/v1/batch", {"events": batch}, key) for batch in unanswered]
            if any(status != 202 for status, _ in repeats):
                checks.that(f"round {number + 1}: repeated batches are accepted", False, repeats)
            ids = [event["event_id"] for batch in acknowledged + unanswered for event in batch]
            found = stored(server, day)
            lost, doubled = set(ids) - found.keys(), [name for name, count in found.items() if count > 1]
            strange = found.keys() - set(ids)
            count = len(acknowledged) * BATCH
            rate.append(count / seconds)
            sent += len(ids)
            expected[day] = len(ids)
            checks.that(
                f"round {number + 1:2}: killed after {seconds:4.2f} s, {count:6} acknowledged ({count / seconds:6.0f}/s), "
                f"{len(unanswered)} requests repeated, ready again in {recovery:.2f} s: each once",
                not lost and not doubled and not strange, f"lost {len(lost)}, doubled {len(doubled)}, never sent {len(strange)}")
        rows = server.get("/v1/stats", workspace["keys"]["rk"], from_=str(FIRST_DAY), to=str(FIRST_DAY + datetime.timedelta(days=ROUNDS)),
                          interval="day", limit=1000)[1]["rows"]
        checks.equal("at the end REST counts every round's events", {row["bucket"][:10]: row["value"] for row in rows},
                     {str(day): count for day, count in expected.items() if count})
        checks.equal("the server stops cleanly", server.stop(), 0)
        doctor = subprocess.run([binary(), "doctor", "--data", server.folder], capture_output=True, text=True)
        checks.that("tributary doctor finds the folder sound", doctor.returncode == 0, doctor.stdout + doctor.stderr)
    checks.say(f"{sent} events, {max(rate):.0f} acknowledged per second in the best round, {time.monotonic() - begin:.0f} s in all")
    checks.finish()


def ingest(server, key, day, number, seconds):
    """Sends until the server is killed after `seconds`: acknowledged batches, those without an answer, the seconds it took."""
    acknowledged, unanswered, guard = [], [], threading.Lock()

    def send(sender):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"Content-Type": "application/json", **bearer(key)}
        serial = 0
        while True:
            events = [event(day, f"{number}-{sender}-{serial + index}", serial + index) for index in range(BATCH)]
            body = json.dumps({"events": events})
            try:
                connection.request("POST", "/v1/batch", body, headers)
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                with guard:
                    unanswered.append(events)
                return
            if reply.status == 503:  # the queue is full: nothing was stored
                time.sleep(0.01)
                continue
            if reply.status != 202:
                raise RuntimeError(f"unexpected answer {reply.status}")
            with guard:
                acknowledged.append(events)
            serial += BATCH

    senders = [threading.Thread(target=send, args=(index,)) for index in range(SENDERS)]
    begin = time.monotonic()
    for thread in senders:
        thread.start()
    time.sleep(seconds)
    server.kill()
    took = time.monotonic() - begin
    for thread in senders:
        thread.join()
    return acknowledged, unanswered, took


def event(day, name, serial):
    second = serial * 7 % 86_400  # out of order, so that flushes have something to sort
    return {"event": "crash", "event_id": name, "anonymous_id": f"v{serial % 997}",
            "timestamp": f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z", "properties": {"n": serial}}


def interrupt_start(server, after):
    """Starts the server and kills it before it is ready."""
    process = subprocess.Popen([binary(), "serve", "--data", server.folder, "--listen", f"127.0.0.1:{server.port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server.environment)
    time.sleep(after)
    process.kill()
    process.wait()


def stored(server, day):
    """How often each event id of a day is in the store, by a full export of that day."""
    path = os.path.join(os.path.dirname(server.folder), "export.ndjson")
    if os.path.exists(path):
        os.remove(path)
    server.run("export", "--workspace", "crash", "--from", str(day), "--to", str(day + datetime.timedelta(days=1)), "--format", "ndjson", "--out", path)
    with open(path) as lines:
        return collections.Counter(json.loads(line)["event_id"] for line in lines)


main()
