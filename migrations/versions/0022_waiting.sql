SET ROLE leadgate_owner;
ALTER TABLE casework.search ADD COLUMN state_since timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE INDEX search_waits ON casework.search (state_since) WHERE outcome IS NULL;
RESET ROLE;
