#!/usr/bin/env python3
"""Turns the outside lists into the tables this crate embeds. Run from anywhere after updating a list:

    python3 crates/ingest/data/convert.py tests/data      (needs PyYAML)

Reads  ua/uap-core_regexes.yaml.gz, ua/isbot_patterns.json, referrer/{SearchEngines,Socials,AIAssistants}.yml
Writes uap-core.json.gz, isbot.json, referrers.tsv beside itself. The same input gives the same bytes.
"""
import gzip
import json
import pathlib
import re
import sys
import unicodedata

import yaml

SOURCE = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).resolve().parent
# Names under which people know a network, where the list's own differs.
SLUGS = {"Google%2B": "google_plus", "X": "twitter", "Vkontakte": "vk", "360search": "360", "Haosou": "360"}


def slug(name):
    if name in SLUGS:
        return SLUGS[name]
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.lower().replace("ø", "o")) if not unicodedata.combining(c))
    return re.sub(r"[^\w.]+", "_", plain).strip("_")


def load(path):
    text = gzip.open(path, "rt", encoding="utf-8").read() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    return yaml.safe_load(text)


def referrers():
    rows = []
    for name, hosts in load(SOURCE / "referrer/AIAssistants.yml").items():
        rows += [("ai", slug(name), host) for host in hosts]
    for name, hosts in load(SOURCE / "referrer/Socials.yml").items():
        rows += [("social", slug(str(name)), host) for host in hosts]
    for name, entries in load(SOURCE / "referrer/SearchEngines.yml").items():
        rows += [("search", slug(str(name)), url) for entry in entries for url in entry["urls"]]
    # `android-app//…` rows spell one app in a second way; the app's id is a row of its own.
    rows = sorted({row for row in rows if "//" not in row[2]})
    (HERE / "referrers.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def user_agents():
    regexes = load(SOURCE / "ua/uap-core_regexes.yaml.gz")
    # Devices are told by system and tokens (src/agents.rs); their regexes would be most of the memory.
    kept = {key: regexes[key] for key in ("user_agent_parsers", "os_parsers")}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    (HERE / "uap-core.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def bots():
    patterns = json.loads((SOURCE / "ua/isbot_patterns.json").read_text(encoding="utf-8"))
    (HERE / "isbot.json").write_text(json.dumps(patterns, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


referrers()
user_agents()
bots()
