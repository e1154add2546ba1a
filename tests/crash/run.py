"""Nothing acknowledged is lost and nothing damaged is read: kill -9, power cuts, truncation and flipped bits.

  CRASH_ROUNDS   rounds of kill -9 on one data folder (16)
  POWER_FOLDERS  new data folders on a disk that forgets what was never synced (3), POWER_ROUNDS rounds on each (4)
  DAMAGE_CASES   truncations and flipped bits tried with the binary (60)
  CRASH_PARTS    only these: kill, power, damage
  CRASH_SEED     repeats a run

`./test crash` runs the short version above, `./test crash-long` 200 rounds of kill -9, 96 power cuts and 600 damages.
"""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import damage  # noqa: E402
import kill  # noqa: E402
import power  # noqa: E402
from harness import Checks  # noqa: E402


def number(name, default):
    return int(os.environ.get(name, str(default)))


def main():
    checks = Checks("crash")
    seed = number("CRASH_SEED", random.SystemRandom().randrange(1 << 32))
    checks.say(f"repeat with CRASH_SEED={seed}")
    parts = os.environ.get("CRASH_PARTS", "kill power damage").split()
    if "kill" in parts:
        kill.run(checks, random.Random(seed), number("CRASH_ROUNDS", 16))
    if "power" in parts:
        power.run(checks, random.Random(seed), number("POWER_FOLDERS", 3), number("POWER_ROUNDS", 4))
    if "damage" in parts:
        damage.run(checks, random.Random(seed), number("DAMAGE_CASES", 60))
    checks.finish()


main()
