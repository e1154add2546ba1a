-- Exports: what to write into a file, and how far that has come. `definition` says as JSON which rows; `failure` why there is no
-- file.
CREATE TABLE exports (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  kind         TEXT NOT NULL CHECK (kind IN ('events', 'contacts', 'companies')),
  status       TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
  definition   TEXT NOT NULL,
  failure      TEXT,
  lines        INTEGER,
  created_us   INTEGER NOT NULL,
  finished_us  INTEGER,
  CHECK ((status IN ('completed', 'failed')) = (finished_us IS NOT NULL)),
  CHECK ((status = 'failed') = (failure IS NOT NULL)),
  CHECK ((status = 'completed') = (lines IS NOT NULL))
) STRICT;
CREATE INDEX exports_workspace ON exports (workspace_id, id);
CREATE INDEX exports_status ON exports (status, id);
