"""What every harness needs: the real binary in a scratch folder, REST and JSON-RPC calls, checks that are counted.

A harness prints what it does, ends with one line `NAME: N passed, N failed`, and exits 1 if anything failed.
`TRIBUTARY_BIN` names the binary; `./test` sets it.
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_SECONDS = 120  # the longest a server may take until /readyz answers 200


class Checks:
    """Counts what held and what did not."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0
        print(f"== {name}", flush=True)

    def say(self, text):
        print(f"   {text}", flush=True)

    def that(self, claim, holds, detail=""):
        if holds:
            self.passed += 1
            print(f"   ok    {claim}", flush=True)
        else:
            self.failed += 1
            print(f"   FAIL  {claim}  {shorten(detail)}", flush=True)
        return bool(holds)

    def equal(self, claim, found, expected):
        return self.that(claim, found == expected, f"found {shorten(found)}, expected {shorten(expected)}")

    def finish(self):
        print(f"{self.name}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)


def shorten(value, most=600):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[:most] + "…"


def binary():
    path = os.environ.get("TRIBUTARY_BIN") or os.path.join(
        os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "tributary")
    if not os.path.exists(path):
        sys.exit(f"no binary at {path}; build it with `cargo build --release`, or set TRIBUTARY_BIN")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One data folder and the process that owns it. `settings` are configuration keys: `{"limits.enforce": False}`."""

    def __init__(self, folder=None, settings=None):
        self.scratch = None if folder else tempfile.TemporaryDirectory(prefix="tributary-")
        self.folder = folder or os.path.join(self.scratch.name, "data")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = dict(os.environ)
        for key, value in (settings or {}).items():
            self.environment["TRIBUTARY__" + key.upper().replace(".", "__")] = json.dumps(value) if not isinstance(value, str) else value
        self.command_environment = self.environment  # for `run`; the server's own may be changed apart from it
        self.process = None
        self.log_path = os.path.join(os.path.dirname(self.folder.rstrip("/")) or ".", "server.log")

    def start(self, *command):
        """Starts `tributary serve` (or another serving command) and waits until it is ready."""
        command = list(command) or ["serve"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), *command, "--data", self.folder, "--listen", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log, env=self.environment)
        self.wait_ready()
        return self

    def wait_ready(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server left with {self.process.returncode}: {self.log_tail()}")
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"the server was not ready after {START_SECONDS} s: {self.log_tail()}")

    def log_tail(self):
        with open(self.log_path, "rb") as log:
            return log.read()[-2000:].decode(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks it to stop and returns its exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.scratch:
            self.scratch.cleanup()

    def run(self, *arguments):
        """Runs another command on the same folder; returns its JSON answer, if it gives one."""
        done = subprocess.run([binary(), *arguments, "--data", self.folder, "--json"], capture_output=True, text=True, env=self.command_environment)
        if done.returncode:
            raise RuntimeError(f"tributary {' '.join(arguments)} left with {done.returncode}: {done.stderr[-2000:]} {done.stdout[-500:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def request(self, method, path, headers=None, body=None):
        """One request on its own connection: status, headers (lower case), body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def get(self, path, key=None, **query):
        """GET with a key: status and JSON (or text)."""
        query = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        if query:
            path += "?" + urllib.parse.urlencode(query)
        status, _, body = self.request("GET", path, bearer(key))
        return status, decoded(body)

    def post(self, path, value, key=None, **headers):
        """POST a JSON value with a key: status and JSON (or text)."""
        headers = {"Content-Type": "application/json", **bearer(key), **headers}
        status, _, body = self.request("POST", path, headers, json.dumps(value).encode())
        return status, decoded(body)

    def call(self, key, tool, arguments=None, path="/mcp"):
        """One `tools/call` over plain HTTP: the whole JSON-RPC reply."""
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments or {}}}
        return self.post(path, message, key)[1]

    def rows(self, key, tool, arguments=None, path="/mcp"):
        """The rows in the text block of a tool's answer."""
        reply = self.call(key, tool, arguments, path)
        if "result" not in reply:
            raise RuntimeError(f"{tool}: {shorten(reply)}")
        return json.loads(reply["result"]["content"][0]["text"])

    def make_workspace(self, name, slug, account=None, timezone="UTC", origins=()):
        """An account (unless given) and a workspace: its ids and keys, plus `ak` when the account is new."""
        made = {}
        if account is None:
            account = find(self.run("account", "create", "--name", f"{name} account", "--plan", "business"), "id")
            made["ak"] = find(self.run("key", "create", "--account", str(account), "--kind", "ak", "--label", "harness"), "token")
        flags = [part for origin in origins for part in ("--origin", origin)]
        answer = self.run("workspace", "create", "--account", str(account), "--name", name, "--slug", slug,
                          "--timezone", timezone, "--currency", "EUR", *flags)
        made.update(account=account, id=find(answer, "id"), uuid=find(answer, "uuid"), slug=slug, keys=find(answer, "keys"))
        return made


def find(answer, name):
    """The value under `name`, at the top or one level down: answers may wrap the thing they made."""
    if name in answer:
        return answer[name]
    for inner in answer.values():
        if isinstance(inner, dict) and name in inner:
            return inner[name]
    raise KeyError(f"no `{name}` in {shorten(answer)}")


def bearer(key):
    return {"Authorization": f"Bearer {key}"} if key else {}


def decoded(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def demo(events=20_000, seed=1, until="2026-05-20T00:00:00Z", settings=None):
    """A running demo server; returns it and the content of its demo.json."""
    server = Server(settings=settings)
    server.start("demo", "--events", str(events), "--seed", str(seed), "--until", until)
    with open(os.path.join(server.folder, "demo.json")) as file:
        return server, json.load(file)
