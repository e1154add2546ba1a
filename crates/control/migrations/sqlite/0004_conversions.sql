-- Conversions: what counts as one, rules that turn events and webhooks into them, addresses webhooks come in at, what users
-- save, and the keys by which a repeated event is known.

-- Only what differs from a type's default. `folded` is the label in lower case.
CREATE TABLE conversions (
  workspace_id             INTEGER NOT NULL REFERENCES workspaces (id),
  conversion               TEXT NOT NULL,
  label                    TEXT,
  folded                   TEXT,
  include_in_gross_revenue INTEGER NOT NULL CHECK (include_in_gross_revenue IN (0, 1)),
  counts_from              TEXT NOT NULL CHECK (counts_from IN ('any', 'server')),
  PRIMARY KEY (workspace_id, conversion),
  UNIQUE (workspace_id, folded),
  CHECK ((label IS NULL) = (folded IS NULL))
) STRICT;

-- How often anything changed that decides what is a conversion.
CREATE TABLE conversion_counters (
  workspace_id INTEGER PRIMARY KEY REFERENCES workspaces (id),
  changes      INTEGER NOT NULL
) STRICT;

-- `token` is the unguessable part of the address; `sealed_secret` is what signatures are verified with, sealed under a key
-- that is not in this database.
CREATE TABLE webhook_endpoints (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id  INTEGER NOT NULL REFERENCES workspaces (id),
  name          TEXT NOT NULL,
  provider      TEXT NOT NULL,
  is_active     INTEGER NOT NULL CHECK (is_active IN (0, 1)),
  token         TEXT NOT NULL UNIQUE,
  sealed_secret TEXT NOT NULL,
  created_us    INTEGER NOT NULL,
  updated_us    INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_endpoints_workspace ON webhook_endpoints (workspace_id, id);

-- A rule maps a named event, or what comes in at an endpoint; `definition` says as JSON what is read of the latter.
CREATE TABLE event_mappings (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  name         TEXT NOT NULL,
  conversion   TEXT NOT NULL,
  event        TEXT,
  endpoint_id  INTEGER REFERENCES webhook_endpoints (id),
  definition   TEXT,
  created_us   INTEGER NOT NULL,
  updated_us   INTEGER NOT NULL,
  UNIQUE (workspace_id, event),
  CHECK ((event IS NULL) = (endpoint_id IS NOT NULL)),
  CHECK ((endpoint_id IS NULL) = (definition IS NULL))
) STRICT;
CREATE INDEX event_mappings_workspace ON event_mappings (workspace_id, id);
CREATE INDEX event_mappings_endpoint ON event_mappings (endpoint_id);

-- `folded` is the name in lower case.
CREATE TABLE saved_items (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  kind         TEXT NOT NULL CHECK (kind IN ('metric', 'segment', 'report', 'dashboard')),
  name         TEXT NOT NULL,
  folded       TEXT NOT NULL,
  slug         TEXT,
  definition   TEXT NOT NULL,
  created_us   INTEGER NOT NULL,
  updated_us   INTEGER NOT NULL,
  UNIQUE (workspace_id, kind, folded),
  UNIQUE (workspace_id, kind, slug)
) STRICT;

CREATE TABLE idempotency_keys (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  idempotency_key TEXT NOT NULL,
  first_us     INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, idempotency_key)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (first_us);
