-- Advertising. Ids are the platforms' own and unique within a source and level. Dates are text (YYYY-MM-DD) in the account's zone.
-- Amounts are integer micros of the row's currency; counts of conversions are millionths too. NULL means that nobody said.

CREATE TABLE ad_entities (
  workspace_id  INTEGER NOT NULL REFERENCES workspaces (id),
  source        TEXT NOT NULL,
  level         TEXT NOT NULL CHECK (level IN ('account', 'campaign', 'adset', 'ad', 'keyword')),
  id            TEXT NOT NULL,
  account_id    TEXT,
  campaign_id   TEXT,
  ad_set_id     TEXT,
  name          TEXT,
  status        TEXT,
  currency      TEXT,
  budget_micros INTEGER,
  budget_period TEXT CHECK (budget_period IN ('daily', 'lifetime')),
  created_us    INTEGER NOT NULL,
  updated_us    INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, source, level, id),
  CHECK ((budget_micros IS NULL) = (budget_period IS NULL))
) STRICT;

-- Where an entity stands, and its currency: what it was named with, else what its parents were named with.
CREATE VIEW ad_places AS
SELECT entity.workspace_id, entity.source, entity.level, entity.id,
  CASE WHEN entity.level = 'account' THEN entity.id
       ELSE COALESCE(entity.account_id, ad_set.account_id, campaign.account_id) END AS account_id,
  CASE WHEN entity.level = 'campaign' THEN entity.id ELSE COALESCE(entity.campaign_id, ad_set.campaign_id) END AS campaign_id,
  CASE WHEN entity.level = 'adset' THEN entity.id ELSE entity.ad_set_id END AS ad_set_id,
  CASE WHEN entity.level = 'ad' THEN entity.id END AS ad_id,
  COALESCE(entity.currency, ad_set.currency, campaign.currency, account.currency) AS currency
FROM ad_entities AS entity
LEFT JOIN ad_entities AS ad_set ON ad_set.workspace_id = entity.workspace_id AND ad_set.source = entity.source
  AND ad_set.level = 'adset' AND ad_set.id = entity.ad_set_id
LEFT JOIN ad_entities AS campaign ON campaign.workspace_id = entity.workspace_id AND campaign.source = entity.source
  AND campaign.level = 'campaign' AND campaign.id = COALESCE(entity.campaign_id, ad_set.campaign_id)
LEFT JOIN ad_entities AS account ON account.workspace_id = entity.workspace_id AND account.source = entity.source
  AND account.level = 'account' AND account.id = COALESCE(entity.account_id, ad_set.account_id, campaign.account_id);

-- One row per entity and day, kept in the order of days, which is how totals read them. A row with a cut is a part of a day: it never counts in a total.
CREATE TABLE ad_spend (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  source       TEXT NOT NULL,
  level        TEXT NOT NULL,
  entity_id    TEXT NOT NULL,
  date         TEXT NOT NULL,
  cut_by       TEXT NOT NULL,
  cut_value    TEXT NOT NULL,
  currency     TEXT,
  spend_micros INTEGER NOT NULL,
  impressions  INTEGER,
  clicks       INTEGER,
  link_clicks  INTEGER,
  PRIMARY KEY (workspace_id, date, source, level, entity_id, cut_by, cut_value),
  FOREIGN KEY (workspace_id, source, level, entity_id) REFERENCES ad_entities (workspace_id, source, level, id)
) STRICT, WITHOUT ROWID;

-- Conversions a platform claims for itself, under its own window and model.
CREATE TABLE ad_claims (
  workspace_id       INTEGER NOT NULL REFERENCES workspaces (id),
  source             TEXT NOT NULL,
  level              TEXT NOT NULL,
  entity_id          TEXT NOT NULL,
  date               TEXT NOT NULL,
  cut_by             TEXT NOT NULL,
  cut_value          TEXT NOT NULL,
  event              TEXT NOT NULL,
  claim_window       TEXT NOT NULL,
  model              TEXT NOT NULL,
  currency           TEXT,
  conversions_micros INTEGER,
  value_micros       INTEGER,
  PRIMARY KEY (workspace_id, date, source, level, entity_id, cut_by, cut_value, event, claim_window, model),
  FOREIGN KEY (workspace_id, source, level, entity_id) REFERENCES ad_entities (workspace_id, source, level, id)
) STRICT, WITHOUT ROWID;

-- What was stored of a day before a different figure replaced it. Values are JSON objects of the columns of the row.
CREATE TABLE ad_restatements (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  source       TEXT NOT NULL,
  level        TEXT NOT NULL,
  entity_id    TEXT NOT NULL,
  date         TEXT NOT NULL,
  cut_by       TEXT NOT NULL,
  cut_value    TEXT NOT NULL,
  event        TEXT,
  claim_window TEXT,
  model        TEXT,
  old_values   TEXT NOT NULL,
  new_values   TEXT NOT NULL,
  author       TEXT NOT NULL,
  at_us        INTEGER NOT NULL
) STRICT;
CREATE INDEX ad_restatements_workspace ON ad_restatements (workspace_id, id);

CREATE TRIGGER ad_restatements_no_update BEFORE UPDATE ON ad_restatements
BEGIN
  SELECT RAISE(ABORT, 'ad_restatements is a journal: rows cannot be updated');
END;

-- What one unit of a currency is worth in another from a date on, in 10^-12: 1.085 is 1085000000000.
CREATE TABLE currency_rates (
  workspace_id  INTEGER NOT NULL REFERENCES workspaces (id),
  from_currency TEXT NOT NULL,
  to_currency   TEXT NOT NULL,
  date          TEXT NOT NULL,
  rate_parts    INTEGER NOT NULL CHECK (rate_parts > 0),
  PRIMARY KEY (workspace_id, from_currency, to_currency, date)
) STRICT;
