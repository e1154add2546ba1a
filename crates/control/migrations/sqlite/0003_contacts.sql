-- Contacts: people as a workspace knows them, and companies.
-- Nothing moves when contacts turn out to be one: what was written stays with the contact it was written to, a row of
-- contact_merges joins the two, and survivor_id names the oldest contact of those that are one. So a merge can be undone.
-- `place` numbers what was written, per workspace: the highest is the newest.

CREATE TABLE contacts (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id  INTEGER NOT NULL REFERENCES workspaces (id),
  survivor_id   INTEGER NOT NULL,
  created_us    INTEGER NOT NULL,
  first_seen_us INTEGER NOT NULL,
  last_seen_us  INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_survivor ON contacts (workspace_id, survivor_id);

-- `domain` is set for e-mails only: the registrable domain, NULL for a free-mail one.
CREATE TABLE contact_identifiers (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  kind         TEXT NOT NULL CHECK (kind IN ('email', 'tracking_id', 'user_id', 'visitor')),
  value        TEXT NOT NULL,
  contact_id   INTEGER NOT NULL REFERENCES contacts (id),
  place        INTEGER NOT NULL,
  domain       TEXT,
  UNIQUE (workspace_id, kind, value)
) STRICT;
CREATE INDEX contact_identifiers_contact ON contact_identifiers (contact_id, kind, place);

CREATE TABLE contact_attributes (
  contact_id INTEGER NOT NULL REFERENCES contacts (id),
  kind       TEXT NOT NULL CHECK (kind IN ('phone', 'name', 'location')),
  value      TEXT NOT NULL,
  place      INTEGER NOT NULL,
  PRIMARY KEY (contact_id, kind, value)
) STRICT;

-- `folded` is text_value in lower case, `words` its words with a space before and after each: what filters compare.
CREATE TABLE contact_fields (
  contact_id   INTEGER NOT NULL REFERENCES contacts (id),
  slot         INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 30),
  text_value   TEXT,
  folded       TEXT,
  words        TEXT,
  number_value REAL,
  date_value   TEXT,
  place        INTEGER NOT NULL,
  PRIMARY KEY (contact_id, slot),
  CHECK ((text_value IS NOT NULL) + (number_value IS NOT NULL) + (date_value IS NOT NULL) = 1)
) STRICT;

CREATE TABLE contact_labels (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  slot         INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 30),
  label        TEXT NOT NULL,
  folded       TEXT NOT NULL,
  PRIMARY KEY (workspace_id, slot),
  UNIQUE (workspace_id, folded)
) STRICT;

-- Why two contacts are one: `evidence` names the identifiers that met, `via` the way they came. Undone rows stay.
CREATE TABLE contact_merges (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  low_id       INTEGER NOT NULL REFERENCES contacts (id),
  high_id      INTEGER NOT NULL REFERENCES contacts (id),
  evidence     TEXT NOT NULL,
  via          TEXT NOT NULL,
  merged_us    INTEGER NOT NULL,
  undone_us    INTEGER,
  CHECK (low_id < high_id)
) STRICT;
CREATE UNIQUE INDEX contact_merges_in_force ON contact_merges (low_id, high_id, evidence) WHERE undone_us IS NULL;
CREATE INDEX contact_merges_high ON contact_merges (high_id);
CREATE INDEX contact_merges_workspace ON contact_merges (workspace_id, id);

-- Visitors seen with two signed-in people: kept with the first, `contact_id`.
CREATE TABLE contact_conflicts (
  identifier_id INTEGER NOT NULL REFERENCES contact_identifiers (id),
  contact_id    INTEGER NOT NULL REFERENCES contacts (id),
  other_id      INTEGER NOT NULL REFERENCES contacts (id),
  noted_us      INTEGER NOT NULL,
  PRIMARY KEY (identifier_id, other_id)
) STRICT;
CREATE INDEX contact_conflicts_contact ON contact_conflicts (contact_id);
CREATE INDEX contact_conflicts_other ON contact_conflicts (other_id);

CREATE TABLE companies (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  domain       TEXT NOT NULL,
  name         TEXT,
  created_us   INTEGER NOT NULL,
  UNIQUE (workspace_id, domain)
) STRICT;

-- The last place given out, and how often anything changed that decides which visitors are one person or company.
CREATE TABLE contact_counters (
  workspace_id INTEGER PRIMARY KEY REFERENCES workspaces (id),
  place        INTEGER NOT NULL,
  changes      INTEGER NOT NULL
) STRICT;
