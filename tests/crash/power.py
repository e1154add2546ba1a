"""The power goes while events come in: only what was synced is left, or that and a random part of the rest."""
import os
import tempfile
import time

import disk
import load
from harness import Server
from rounds import Rounds

# Of what was not synced, this much reaches the disk all the same, percent: nothing, some of it, most of it.
EARLY = [0, 50, 0, 15, 0, 90]


def run(checks, dice, folders, rounds):
    """`rounds` rounds on each of `folders` new data folders."""
    begin, events, lost, seen = time.monotonic(), 0, 0, []
    with tempfile.TemporaryDirectory(prefix="tributary-power-") as scratch:
        library = disk.build(scratch)
        disk.prove(checks, scratch, library)
        for number in range(folders):
            place, early = os.path.join(scratch, f"power-{number}"), EARLY[number % len(EARLY)]
            one, count = on_a_new_folder(checks, dice, disk.Disk(place, library), place, early, rounds)
            events, lost, seen = events + one.events, lost + count, seen + [one.seen]
    cut = sum(max(each.unfinished, each.unlisted) for each in seen)
    checks.say(f"power cuts: {folders} new folders of {rounds} rounds, {events} events, {time.monotonic() - begin:.0f} s; {lost} files lost something, "
               f"files not yet listed in {cut} rounds, merges done in {sum(each.merges for each in seen)}")
    checks.that("every power cut but a few took something", lost >= folders * rounds)


def on_a_new_folder(checks, dice, power, place, early, rounds):
    server = Server(folder=os.path.join(power.root, "data"), settings=load.SETTINGS)
    server.log_path = os.path.join(place, "server.log")
    lost = 0

    def connect():
        server.environment.update(power.environment(early, dice.randrange(1 << 30)))

    def death():
        nonlocal lost
        gone = power.cut()
        lost += len([name for name in gone if name.startswith("data/events.db") or "segments" in name])
        connect()

    one = Rounds(checks, server, dice, death)
    with server:
        connect()
        server.start()
        # The program itself is what runs on that disk; other commands go through its socket.
        server.command_environment = {name: value for name, value in server.environment.items() if not name.startswith(("LD_PRELOAD", "POWERLOSS"))}
        one.make_workspaces()
        if not all(one.run(f"power cut, {early:2}% early, ") for _ in range(rounds)):
            return one, lost
        one.finish()
        power.cut()
        server.environment = server.command_environment
        server.start()
        for workspace in one.workspaces:
            checks.equal(f"{workspace.slug}: nor is anything lost by a power cut after a clean stop", load.wrong_in_all(server, workspace, one.number), "")
    return one, lost
