"""kill -9 while events come in at full rate into several workspaces, flushes and merges going on."""
import time

import load
from harness import Server
from rounds import Rounds


def run(checks, dice, rounds):
    begin = time.monotonic()
    with Server(settings=load.SETTINGS) as server:
        server.start()
        all_rounds = Rounds(checks, server, dice)
        all_rounds.make_workspaces()
        if all(all_rounds.run("kill -9, ") for _ in range(rounds)):
            all_rounds.finish()
    seen = all_rounds.seen
    checks.say(f"kill -9: {rounds} rounds, {all_rounds.events} events, {all_rounds.best_rate:.0f} acknowledged per second in the best round, "
               f"{seen.last_id} segments written, {time.monotonic() - begin:.0f} s; left by kills: half a file in {seen.unfinished} rounds, "
               f"whole files not yet listed in {seen.unlisted}, files already replaced in {seen.replaced}; merges done in {seen.merges} rounds")
    checks.that("kills cut flushes or merges in a tenth of the rounds at least", max(seen.unfinished, seen.unlisted) * 10 >= rounds)
    checks.that("merges went on in a tenth of the rounds at least", seen.merges * 10 >= rounds)
