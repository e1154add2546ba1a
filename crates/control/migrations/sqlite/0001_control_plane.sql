-- Ids are never reused (AUTOINCREMENT): the events of a deleted workspace must not turn up in a new one.
-- Times are microseconds since the Unix epoch, UTC. UUIDs, JSON and hashes (hex) are text. Booleans are 0 and 1.

CREATE TABLE installation (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  plan       TEXT NOT NULL CHECK (plan IN ('free', 'pro', 'business')),
  limits     TEXT NOT NULL,
  created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE workspaces (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid            TEXT NOT NULL UNIQUE,
  account_id      INTEGER NOT NULL REFERENCES accounts (id),
  slug            TEXT NOT NULL,
  name            TEXT NOT NULL,
  zone            TEXT NOT NULL,
  currency        TEXT NOT NULL,
  allowed_origins TEXT NOT NULL,
  created_us      INTEGER NOT NULL,
  deleted_us      INTEGER
) STRICT;
CREATE UNIQUE INDEX workspaces_slug ON workspaces (slug) WHERE deleted_us IS NULL;
CREATE INDEX workspaces_account ON workspaces (account_id);

CREATE TABLE api_keys (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  kind         TEXT NOT NULL CHECK (kind IN ('pk', 'sk', 'rk', 'ak')),
  env          TEXT NOT NULL,
  prefix       TEXT NOT NULL UNIQUE,
  secret_hash  TEXT NOT NULL,
  label        TEXT NOT NULL,
  account_id   INTEGER REFERENCES accounts (id),
  workspace_id INTEGER REFERENCES workspaces (id),
  created_us   INTEGER NOT NULL,
  last_used_us INTEGER,
  revoked_us   INTEGER,
  CHECK ((kind = 'ak') = (account_id IS NOT NULL)),
  CHECK ((account_id IS NULL) <> (workspace_id IS NULL))
) STRICT;
CREATE INDEX api_keys_account ON api_keys (account_id);
CREATE INDEX api_keys_workspace ON api_keys (workspace_id);

CREATE TABLE usage_meter (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  month        TEXT NOT NULL,
  events       INTEGER NOT NULL,
  last_us      INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, month)
) STRICT;

CREATE TABLE usage_rejected (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  reason       TEXT NOT NULL,
  events       INTEGER NOT NULL,
  last_us      INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, reason)
) STRICT;

-- One row per tool call. `hash` covers every other column, `prev_hash` among them.
CREATE TABLE mcp_audit_log (
  seq               INTEGER PRIMARY KEY,
  correlation_id    TEXT NOT NULL UNIQUE,
  at_us             INTEGER NOT NULL,
  door              TEXT NOT NULL,
  tool_name         TEXT NOT NULL,
  args_digest       TEXT NOT NULL,
  latency_ms        INTEGER NOT NULL,
  output_size_bytes INTEGER NOT NULL,
  space_id          INTEGER,
  user_id           INTEGER,
  token_id          INTEGER,
  client_user_agent TEXT,
  client_ip         TEXT,
  was_internal      INTEGER NOT NULL CHECK (was_internal IN (0, 1)),
  outcome           TEXT NOT NULL,
  prev_hash         TEXT NOT NULL,
  hash              TEXT NOT NULL
) STRICT;
CREATE INDEX mcp_audit_log_space ON mcp_audit_log (space_id, seq);

-- The last row's number and hash, sealed with a key that is not in this file: a cut tail is noticed.
CREATE TABLE mcp_audit_head (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  seq  INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seal TEXT NOT NULL
) STRICT;

CREATE TRIGGER mcp_audit_log_no_update BEFORE UPDATE ON mcp_audit_log
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_log is append-only: rows cannot be updated');
END;

CREATE TRIGGER mcp_audit_log_no_delete BEFORE DELETE ON mcp_audit_log
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_log is append-only: rows cannot be deleted');
END;

-- Also keeps INSERT OR REPLACE from replacing a row, which fires no delete trigger.
CREATE TRIGGER mcp_audit_log_only_append BEFORE INSERT ON mcp_audit_log
WHEN NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM mcp_audit_log)
  OR EXISTS (SELECT 1 FROM mcp_audit_log WHERE correlation_id = NEW.correlation_id)
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_log is append-only: a row must follow the last one');
END;

CREATE TRIGGER mcp_audit_head_no_delete BEFORE DELETE ON mcp_audit_head
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_head cannot be deleted');
END;

CREATE TRIGGER mcp_audit_head_only_forward BEFORE UPDATE ON mcp_audit_head
WHEN NEW.id <> OLD.id OR NEW.seq <= OLD.seq
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_head only moves forward');
END;

CREATE TRIGGER mcp_audit_head_once BEFORE INSERT ON mcp_audit_head
WHEN EXISTS (SELECT 1 FROM mcp_audit_head)
BEGIN
  SELECT RAISE(ABORT, 'mcp_audit_head has one row');
END;
