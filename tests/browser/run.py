"""The browser script and the served pages in a real Chromium, against the real server: see browser.mjs for the steps."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import Checks, Server, free_port  # noqa: E402


def main():
    checks = Checks("browser")
    site = free_port()
    with Server(settings={"log.filter": "warn"}) as server:
        server.start()
        workspace = server.make_workspace("Site", "site", origins=[f"http://127.0.0.1:{site}"])
        settings = {"server": server.url, "site": site, "keys": workspace["keys"], "browser": os.environ.get("TRIBUTARY_BROWSER", "chromium")}
        node = subprocess.Popen([os.environ.get("TRIBUTARY_NODE", "node"), os.path.join(HERE, "browser.mjs")], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        node.stdin.write(json.dumps(settings))
        node.stdin.close()
        # The script reports one check per line: {"claim": ..., "holds": ..., "detail": ...}.
        for line in node.stdout:
            try:
                report = json.loads(line)
            except ValueError:
                checks.say(line.rstrip())
                continue
            if "say" in report:
                checks.say(report["say"])
            else:
                checks.that(report["claim"], report["holds"], report.get("detail", ""))
        checks.equal("the browser session ran to its end", node.wait(), 0)
        checks.equal("the server stops cleanly", server.stop(), 0)
    checks.finish()


main()
