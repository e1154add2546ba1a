"""Events at full rate into several workspaces until the server goes away, and what must be there afterwards."""
import collections
import datetime
import http.client
import json
import os
import random
import threading
import time

from harness import bearer

WORKSPACES = 3
SENDERS = 4
BATCH = 100  # events per request
USERS = 97
FIRST_DAY = datetime.date(2025, 6, 1)
# Small, so that flushes and merges are going on all the time.
SETTINGS = {"limits.enforce": False, "engine.flush_events": 1_500, "engine.segment_rows": 50_000, "log.filter": "warn"}


class Workspace:
    """One workspace, and what was acknowledged into it. A round has a day of its own; a sender counts its events of a round
    from 0 on, and event N is by user N modulo `USERS`."""

    def __init__(self, made):
        self.slug, self.keys = made["slug"], made["keys"]
        self.sent = {}  # (round, sender) -> how many of its events are there
        self.forgotten = {}  # user -> rounds before this one are forgotten

    def expected(self, number):
        """The ids of a round's events."""
        return {f"{number}-{sender}-{serial}" for (round_number, sender), count in self.sent.items() if round_number == number
                for serial in range(count) if self.forgotten.get(serial % USERS, -1) <= number}

    def expected_counts(self):
        """Day -> events, for every round so far."""
        counts = collections.Counter()
        for (number, _), count in self.sent.items():
            gone = sum(1 for user, before in self.forgotten.items() if number < before for _ in range(user, count, USERS))
            counts[str(day_of(number))] += count - gone
        return {day: count for day, count in counts.items() if count}


class Sent:
    """What the senders of one round have seen."""

    def __init__(self):
        self.acknowledged, self.seconds, self.unanswered, self.resent = 0, 0.0, [], 0


def day_of(number):
    return FIRST_DAY + datetime.timedelta(days=number)


def send_until_killed(server, workspaces, number, kill):
    """Sends until `kill(sent)` has killed the server; what had no answer is in `unanswered`."""
    sent, guard = Sent(), threading.Lock()

    def send(sender):
        workspace, dice = workspaces[sender % len(workspaces)], random.Random(number * SENDERS + sender)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"Content-Type": "application/json", **bearer(workspace.keys["sk"])}
        serial = 0
        while True:
            is_repeat = serial > 0 and dice.random() < 0.1  # a client that did not hear the answer
            first = serial - BATCH if is_repeat else serial
            body = json.dumps({"events": [event(number, sender, first + index) for index in range(BATCH)]})
            try:
                connection.request("POST", "/v1/batch", body, headers)
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                if not is_repeat:
                    with guard:
                        sent.unanswered.append((workspace, sender, body))
                return
            if reply.status == 503:  # the queue is full: nothing was stored
                time.sleep(0.01)
                continue
            if reply.status != 202:
                raise RuntimeError(f"unexpected answer {reply.status}")
            with guard:
                sent.acknowledged += 0 if is_repeat else BATCH
                sent.resent += BATCH if is_repeat else 0
            if not is_repeat:
                serial += BATCH
                workspace.sent[number, sender] = serial

    senders = [threading.Thread(target=send, args=(index,)) for index in range(SENDERS)]
    begin = time.monotonic()
    for thread in senders:
        thread.start()
    kill(sent)
    sent.seconds = time.monotonic() - begin
    for thread in senders:
        thread.join()
    return sent


def repeat_unanswered(server, sent, number):
    """Sends what had no answer once more, as a client would; returns refusals."""
    refused = []
    for workspace, sender, body in sent.unanswered:
        status, answer = server.post("/v1/batch", json.loads(body), workspace.keys["sk"])
        if status == 202:
            workspace.sent[number, sender] = workspace.sent.get((number, sender), 0) + BATCH
        else:
            refused.append((status, answer))
    return refused


def forget(server, workspace, user, number):
    """Forgets what a user did before round `number`."""
    status, answer = server.post("/v1/forget", {"user_id": f"u{user}"}, workspace.keys["sk"])
    if status not in (200, 202):
        raise RuntimeError(f"forgetting u{user}: {status} {answer}")
    workspace.forgotten[user] = number


def event(number, sender, serial):
    second = serial * 7 % 86_400  # out of order, so that flushes have something to sort
    return {"event": "crash", "event_id": f"{number}-{sender}-{serial}", "anonymous_id": f"v{serial % 991}", "user_id": f"u{serial % USERS}",
            "timestamp": f"{day_of(number)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
            "properties": {"n": serial, "round": number}}


def wrong_in_round(server, workspace, number):
    """What is lost, doubled or strange among a round's events, by a full export of its day; empty when all is well."""
    day = day_of(number)
    found = exported(server, workspace, day, day + datetime.timedelta(days=1))
    ids = workspace.expected(number)
    return differences(found, ids)


def wrong_in_all(server, workspace, rounds):
    """The same over every round at once."""
    found = exported(server, workspace, FIRST_DAY, day_of(rounds))
    return differences(found, {name for number in range(rounds) for name in workspace.expected(number)})


def differences(found, ids):
    lost, doubled, strange = ids - found.keys(), [name for name, count in found.items() if count > 1], found.keys() - ids
    if not (lost or doubled or strange):
        return ""
    return f"lost {len(lost)} {sorted(lost)[:3]}, doubled {len(doubled)} {doubled[:3]}, never sent {len(strange)} {sorted(strange)[:3]}"


def exported(server, workspace, start, end):
    path = os.path.join(os.path.dirname(server.log_path), f"{workspace.slug}.ndjson")
    if os.path.exists(path):
        os.remove(path)
    server.run("export", "--workspace", workspace.slug, "--from", str(start), "--to", str(end), "--format", "ndjson", "--out", path)
    with open(path) as lines:
        return collections.Counter(json.loads(line)["event_id"] for line in lines)


def wrong_counts(server, workspace, rounds):
    """Whether REST counts every day of every round so far; empty when it does."""
    status, answer = server.get("/v1/stats", workspace.keys["rk"], from_=str(FIRST_DAY), to=str(day_of(rounds)), interval="day", limit=1000)
    if status != 200:
        return f"{status} {answer}"
    found, expected = {row["bucket"][:10]: row["value"] for row in answer["rows"]}, workspace.expected_counts()
    return "" if found == expected else f"by day: {({day: (found.get(day), expected.get(day)) for day in found.keys() | expected.keys() if found.get(day) != expected.get(day)})} (found, expected)"
