"""A folder on a disk that forgets what was never synced; see powerloss.c."""
import os
import shutil
import subprocess
import sys


def build(scratch):
    """Builds the library that stands between a program and its disk; returns its path."""
    library = os.path.join(scratch, "powerloss.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "powerloss.c")
    built = subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-pthread", "-o", library, source], capture_output=True, text=True)
    if built.returncode:
        sys.exit(f"powerloss.c does not build: {built.stderr}")
    return library


class Disk:
    """`root` is the disk. A program run with `environment()` writes to it; `cut()` then leaves what a power cut leaves."""

    def __init__(self, scratch, library):
        self.root, self.library = os.path.join(scratch, "disk"), library
        self.shadows, self.count = os.path.join(scratch, "shadow"), 0
        os.makedirs(self.root)

    def environment(self, early=0, seed=1):
        """For the next program: the chance in percent that something not synced reaches the disk all the same."""
        self.count += 1
        os.makedirs(self.shadow)
        return {"LD_PRELOAD": self.library, "POWERLOSS_ROOT": self.root, "POWERLOSS_SHADOW": self.shadow,
                "POWERLOSS_EARLY": str(early), "POWERLOSS_SEED": str(seed)}

    @property
    def shadow(self):
        return os.path.join(self.shadows, str(self.count))

    def cut(self):
        """The power goes. To be called when the program has ended; returns the names of files that lost something."""
        if not os.path.exists(os.path.join(self.shadow, "ready")):
            return []  # the program ended before it could write anything
        before = listing(self.root)
        fresh = self.root + ".new"
        self._rebuild(1, fresh, {})
        shutil.rmtree(self.root)
        os.rename(fresh, self.root)
        after = listing(self.root)
        shutil.rmtree(self.shadow)
        return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))

    def _rebuild(self, number, into, made):
        os.mkdir(into, 0o700)
        try:
            with open(os.path.join(self.shadow, f"d{number}")) as record:
                entries = [line.rstrip("\n").split(" ", 2) for line in record]
        except FileNotFoundError:
            return  # the folder itself survived, none of its entries did
        for kind, inner, name in entries:
            path = os.path.join(into, name)
            if kind == "d":
                self._rebuild(inner, path, made)
            elif inner in made:
                os.link(made[inner], path)
            else:
                content = os.path.join(self.shadow, f"f{inner}")
                if os.path.exists(content):
                    shutil.copyfile(content, path)
                else:
                    open(path, "wb").close()  # a name without any content, as file systems leave it
                os.chmod(path, 0o600)
                made[inner] = path


def listing(root):
    """Every regular file below `root` with its content."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, root)] = file.read()
    return found


# Writes in every way that matters, with and without the sync it takes, and leaves without closing anything properly.
PROBE = """
import os, sys
root = sys.argv[1]
def write(name, content, sync=False, flags=os.O_CREAT | os.O_WRONLY):
    fd = os.open(f"{root}/{name}", flags)
    os.write(fd, content)
    if sync: os.fsync(fd)
def sync_folder(name="."):
    os.fsync(os.open(f"{root}/{name}", os.O_RDONLY))
write("kept", b"kept", sync=True)
write("renamed.new", b"renamed", sync=True)
write("named only", b"content not synced")
write("grown", b"synced", sync=True)
write("gone", b"still there: its removal is not synced", sync=True)
write("replaced", b"old", sync=True)
write("zeroed", b"1234567890", sync=True)
os.link(f"{root}/kept", f"{root}/linked")
os.mkdir(f"{root}/folder")
os.mkdir(f"{root}/empty")
write("folder/inside", b"inside", sync=True)
sync_folder("folder")
write("empty/unlisted", b"synced, but its folder is not", sync=True)
sync_folder()
os.truncate(f"{root}/grown", 6)
fd = os.open(f"{root}/zeroed", os.O_WRONLY)
os.ftruncate(fd, 2); os.ftruncate(fd, 5); os.fsync(fd)
write("grown", b" and not synced", flags=os.O_WRONLY | os.O_APPEND)
os.remove(f"{root}/gone")
write("replaced.new", b"new", sync=True)
os.rename(f"{root}/replaced.new", f"{root}/replaced")
os.rename(f"{root}/renamed.new", f"{root}/renamed")
os.mkdir(f"{root}/late")
write("never synced", b"never synced")
write("late/inside", b"synced in a folder that is not", sync=True)
os.kill(os.getpid(), 9)
"""

# What is left of that when everything not synced is dropped.
PROBE_LEAVES = {
    "kept": b"kept", "linked": b"kept", "renamed.new": b"renamed", "named only": b"", "grown": b"synced", "zeroed": b"12\0\0\0",
    "gone": b"still there: its removal is not synced", "replaced": b"old", "folder/inside": b"inside",
}


def prove(checks, scratch, library):
    """The disk itself: it forgets what it must forget, and nothing else."""
    def after(early, seed):
        disk = Disk(os.path.join(scratch, f"probe-{early}-{seed}"), library)
        ended = subprocess.run([sys.executable, "-c", PROBE, disk.root], env={**os.environ, **disk.environment(early, seed)}, capture_output=True, text=True)
        if ended.returncode != -9:
            return ended.stderr
        disk.cut()
        return listing(disk.root)

    checks.equal("the disk keeps what was synced and forgets the rest", after(0, 1), PROBE_LEAVES)
    kept_all = after(100, 1)
    checks.that("a disk that writes everything early keeps the synced too",
                isinstance(kept_all, dict) and kept_all.get("renamed") == b"renamed" and kept_all.get("kept") == b"kept"
                and kept_all.get("replaced") == b"new" and "gone" not in kept_all, kept_all)
    some = [after(50, seed) for seed in range(8)]
    checks.that("a disk that writes some of it early never loses what was synced",
                all(isinstance(one, dict) and one.get("kept") == b"kept" and one.get("folder/inside") == b"inside"
                    and one.get("replaced") in (b"old", b"new") and one.get("grown", b"").startswith(b"synced") for one in some), some)
    checks.that("and is not the same every time", len({repr(one) for one in some}) > 1)
