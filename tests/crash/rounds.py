"""Rounds of load, death and recovery on one data folder."""
import os
import shutil
import sqlite3
import subprocess
import time

import load
from harness import binary


MOST_EVENTS = 6_000  # acknowledged before a kill
LONGEST_S = 4.0  # to wait for them


class Rounds:
    """`death` is called after each kill: what the machine does to the folder."""

    def __init__(self, checks, server, dice, death=lambda: None):
        self.checks, self.server, self.dice, self.death = checks, server, dice, death
        self.workspaces, self.number = [], 0
        self.events, self.best_rate, self.seen = 0, 0.0, Seen()

    def make_workspaces(self):
        for index in range(load.WORKSPACES):
            name = f"crash-{index}"
            self.workspaces.append(load.Workspace(self.server.make_workspace(name, name)))

    def run(self, prefix=""):
        """One round: load, kill, recovery, comparison. Returns whether the folder is worth another."""
        try:
            self._run(prefix)
        except (RuntimeError, OSError) as error:
            return self.checks.that(f"{prefix}round {self.number + 1:3}: the server starts and answers", False, str(error))
        return True

    def _run(self, prefix):
        server, dice, number = self.server, self.dice, self.number
        if number and dice.random() < 0.2:
            load.forget(server, dice.choice(self.workspaces), dice.randrange(load.USERS), number)
        kill, how = self._kill()
        sent = load.send_until_killed(server, self.workspaces, number, kill)
        self.death()
        self.seen.look(server.folder)
        if dice.random() < 0.2:  # and once more while it recovers
            self._interrupt_start(dice.uniform(0.0, 0.15))
            self.death()
        begin = time.monotonic()
        server.start()
        recovery = time.monotonic() - begin
        wrong = [f"repeats are refused: {refused}" for refused in load.repeat_unanswered(server, sent, number)]
        self.number += 1
        for workspace in self.workspaces:
            wrong += [f"{workspace.slug}: {what}" for what in (
                load.wrong_in_round(server, workspace, number), load.wrong_counts(server, workspace, self.number)) if what]
        self.events += sent.acknowledged
        self.best_rate = max(self.best_rate, sent.acknowledged / sent.seconds)
        self.checks.that(
            f"{prefix}round {number + 1:3}: killed {how} after {sent.seconds:4.2f} s, {sent.acknowledged:6} acknowledged, {sent.resent} sent twice, "
            f"{len(sent.unanswered)} requests repeated, ready again in {recovery:.2f} s: each once", not wrong, "; ".join(wrong))

    def finish(self):
        """After the last round: every event of every round by a full export, a clean stop, a sound folder."""
        for workspace in self.workspaces:
            self.checks.equal(f"{workspace.slug}: every event of {self.number} rounds is there once", load.wrong_in_all(self.server, workspace, self.number), "")
        self.checks.equal("the server stops cleanly", self.server.stop(), 0)
        doctor = subprocess.run([binary(), "doctor", "--data", self.server.folder], capture_output=True, text=True)
        self.checks.that("tributary doctor finds the folder sound", doctor.returncode == 0, doctor.stdout + doctor.stderr)

    def _kill(self):
        """A way to kill, and its name. By what was acknowledged rather than by the clock, so that a slow machine gets as far."""
        server, chance = self.server, self.dice.random()
        if chance < 0.2:  # at once, so that it hits the start of the log and the recovery of the round before
            seconds, enough = self.dice.uniform(0.01, 0.2), 0
        else:
            seconds, enough = LONGEST_S, self.dice.randrange(1, MOST_EVENTS)
        in_a_write = chance > 0.6

        def kill(sent):
            until = time.monotonic() + seconds
            while time.monotonic() < until and (enough == 0 or sent.acknowledged < enough):
                time.sleep(0.001)
            until = time.monotonic() + LONGEST_S / 4
            while in_a_write and time.monotonic() < until and not any(name.endswith(".tmp") for name in segment_files(server.folder)):
                pass
            server.kill()
        return kill, "in a write" if in_a_write else "by chance "

    def _interrupt_start(self, after):
        """Starts the server and kills it before it is ready."""
        server = self.server
        process = subprocess.Popen([binary(), "serve", "--data", server.folder, "--listen", f"127.0.0.1:{server.port}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=server.environment)
        time.sleep(after)
        process.kill()
        process.wait()


class Seen:
    """What the kills have cut, by the files they left and the catalogue."""

    def __init__(self):
        self.unfinished, self.unlisted, self.replaced, self.merges, self.listed = 0, 0, 0, 0, set()
        self.last_id = 0

    def look(self, folder):
        """At a folder whose owner is dead, before the next start cleans up."""
        listed = catalogue(folder)
        if listed is None:
            return
        on_disk = segment_files(folder)
        ids = {int(name.rsplit("-", 1)[1][:8]) for name in on_disk}
        orphans = ids - listed
        newest = max(listed, default=0)
        self.unfinished += any(name.endswith(".tmp") for name in on_disk)
        self.unlisted += any(one > newest for one in orphans)
        self.replaced += any(one < newest for one in orphans)
        self.merges += bool(self.listed - listed)
        self.listed, self.last_id = listed, max(self.last_id, newest)


def segment_files(folder):
    found = []
    segments = os.path.join(folder, "segments")
    try:
        for workspace in os.scandir(segments):
            found += [entry.name for entry in os.scandir(workspace.path)]
    except OSError:
        pass  # not made yet, or being replaced
    return found


def catalogue(folder):
    """The ids of the listed segments; read from a copy, since SQLite would recover the original."""
    copy = folder.rstrip("/") + ".look"
    shutil.rmtree(copy, ignore_errors=True)
    os.mkdir(copy)
    try:
        for name in ("events.db", "events.db-wal"):
            if os.path.exists(os.path.join(folder, name)):
                shutil.copyfile(os.path.join(folder, name), os.path.join(copy, name))
        database = sqlite3.connect(os.path.join(copy, "events.db"))
        try:
            return {row[0] for row in database.execute("select id from segment")}
        except sqlite3.DatabaseError:
            return None  # killed before the tables were made
        finally:
            database.close()
    finally:
        shutil.rmtree(copy, ignore_errors=True)
