"""Truncation and flipped bits over every file of a stopped and of a killed folder, looked at with the real binary.

Whatever is damaged, questions answer as before or with an error, and where they answer with an error, they or `doctor` name
the file. Never another answer, never a panic. crates/timeline/tests/it/damage.rs does the same densely for the engine alone.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time

import load
from harness import Server, binary

# The process that owns the folder writes about itself: nothing here is data, and a start writes it anew.
OF_THE_MOMENT = {"owner.json", "tributary.lock", "tributary.sock"}
# SQLite's memory, made anew after a crash.
REBUILT = ("-shm",)
ROUND_EVENTS = 900


def run(checks, dice, cases):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tributary-damage-") as scratch:
        count = 0
        for state in ("stopped", "killed"):
            folder = os.path.join(scratch, state)
            make(folder, state, scratch)
            intact = ask(copied(folder, scratch))
            if not checks.that(f"the {state} folder answers", intact.problem == "" and intact.answers[0].count("\n") > ROUND_EVENTS, intact.problem):
                continue
            found = {"named": 0, "unchanged": 0}
            for name, damage, what in plan(folder, dice, cases // 2):
                count += 1
                verdict, detail = judge(intact, folder, name, damage, scratch)
                if verdict in found:
                    found[verdict] += 1
                else:
                    checks.that(f"{state} folder, {name}: {what}: {verdict}", False, detail)
            checks.that(f"{state} folder: {sum(found.values())} damages over {len(files(folder))} files were named ({found['named']}) "
                        f"or changed no answer ({found['unchanged']})", found["named"] > 0)
    checks.say(f"damage: {count} cases, {time.monotonic() - begin:.0f} s")


def make(folder, state, scratch):
    """A folder with segments, a tail in the log, something forgotten, and accounts."""
    settings = {**load.SETTINGS, "engine.flush_events": 1_000_000, "engine.flush_after_seconds": 1_000_000}
    server = Server(folder=folder, settings=settings)
    server.log_path = os.path.join(scratch, "server.log")
    # Stopped and started with a small threshold, it flushes what is there; then a tail follows.
    server.environment["TRIBUTARY__ENGINE__FLUSH_EVENTS"] = "300"
    with server:
        server.start()
        workspace = load.Workspace(server.make_workspace("crash-0", "crash-0"))
        send(server, workspace, 0, 0, ROUND_EVENTS)
        until = time.monotonic() + 20
        while time.monotonic() < until and not any(name.endswith(".keys") for name in files(folder)):
            time.sleep(0.05)
        server.stop()
        server.environment["TRIBUTARY__ENGINE__FLUSH_EVENTS"] = "1000000"
        server.start()
        load.forget(server, workspace, 5, 1)
        send(server, workspace, 1, 0, 300)
        server.make_workspace("crash-1", "crash-1")
        if state == "stopped":
            server.stop()
        else:
            server.kill()


def send(server, workspace, number, sender, count):
    for first in range(0, count, load.BATCH):
        events = [load.event(number, sender, first + index) for index in range(load.BATCH)]
        status, answer = server.post("/v1/batch", {"events": events}, workspace.keys["sk"])
        if status != 202:
            raise RuntimeError(f"{status} {answer}")


def files(folder):
    found = []
    for place, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(place, name), folder) for name in names
                  if name not in OF_THE_MOMENT and not name.endswith(REBUILT) and os.path.isfile(os.path.join(place, name))]
    return sorted(found)


def plan(folder, dice, cases):
    """(file, change of its bytes, words for it), every file in turn: truncations and single bits."""
    names = [name for name in files(folder) if os.path.getsize(os.path.join(folder, name)) > 0]
    for case in range(cases):
        name = names[case % len(names)]
        size = os.path.getsize(os.path.join(folder, name))
        if (case // len(names)) % 3 == 0:
            length = dice.choice([0, size // 2, size - 1, dice.randrange(size), size // 4096 // 2 * 4096])
            yield name, lambda content, length=length: content[:length], f"cut to {length} of {size} bytes"
        else:
            at, bit = dice.randrange(size), dice.randrange(8)
            yield name, lambda content, at=at, bit=bit: content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1:], f"bit {bit} of byte {at} of {size} flipped"


class Asked:
    """What the folder answers: rows and settings, as text, or why not."""

    def __init__(self, answers, problem):
        self.answers, self.problem = answers, problem


def ask(folder):
    """Every event, a count by day, the workspaces and keys."""
    answers, problems = [], []
    out = os.path.join(os.path.dirname(folder), "rows.ndjson")
    if os.path.exists(out):
        os.remove(out)
    for command in (["export", "--workspace", "crash-0", "--from", "2025-01-01", "--to", "2026-01-01", "--format", "ndjson", "--out", out],
                    ["query", "stats", "--workspace", "crash-0", "--from", "2025-01-01", "--to", "2026-01-01", "--group-by", "event_name"],
                    ["workspace", "list"]):
        done = tributary(folder, *command, "--json")
        if done.returncode:
            problems.append(done.stderr)
            answers.append("")
        elif command[0] == "export":
            with open(out) as rows:
                answers.append("".join(sorted(rows)))
        else:
            answers.append(done.stdout)
    return Asked(answers, "\n".join(problems))


def tributary(folder, *arguments):
    return subprocess.run([binary(), *arguments, "--data", folder], capture_output=True, text=True, errors="replace")


def copied(folder, scratch):
    copy = os.path.join(scratch, "copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.sock"))
    return copy


def judge(intact, folder, name, damage, scratch):
    copy = copied(folder, scratch)
    path = os.path.join(copy, name)
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(damage(content))
    asked = ask(copy)
    if "panicked" in asked.problem:
        return "a panic", asked.problem
    for answer, right in zip(asked.answers, intact.answers):
        if answer and answer != right:
            return "a wrong answer", difference(answer, right)
    if not asked.problem:
        return "unchanged", ""
    doctor = tributary(copy, "doctor")
    named = os.path.basename(name).removesuffix("-wal")
    if named in asked.problem or named in doctor.stdout + doctor.stderr:
        return "named", ""
    return "nobody names it", f"{asked.problem} doctor: {doctor.stdout} {doctor.stderr}"


def difference(answer, right):
    gone, new = set(right.splitlines()) - set(answer.splitlines()), set(answer.splitlines()) - set(right.splitlines())
    return json.dumps({"missing": len(gone), "new": len(new), "first missing": sorted(gone)[:1], "first new": sorted(new)[:1]})
