-- A link opens with the code that stands beside it in Slack, or in a browser that has proved whose it is.
SET ROLE leadgate_owner;

CREATE TABLE casework.viewer_browser (
    secret_sha256 bytea PRIMARY KEY CHECK (octet_length(secret_sha256) = 32),
    person text NOT NULL REFERENCES casework.person,
    proved_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL CHECK (used_at >= proved_at),
    ended_at timestamptz,
    UNIQUE (secret_sha256, person)
);
ALTER TABLE casework.viewer_link
    ADD COLUMN code_sha256 bytea CHECK (octet_length(code_sha256) = 32),
    ADD COLUMN tries smallint NOT NULL DEFAULT 0 CONSTRAINT few_tries CHECK (tries BETWEEN 0 AND 5),
    ADD COLUMN browser_sha256 bytea,
    ADD CONSTRAINT the_persons_own_browser FOREIGN KEY (browser_sha256, examiner)
        REFERENCES casework.viewer_browser (secret_sha256, person);
-- Links that were used before this revision know no browser; none is used any more.
ALTER TABLE casework.viewer_link
    ADD CONSTRAINT used_in_a_known_browser CHECK (used_at IS NULL OR browser_sha256 IS NOT NULL) NOT VALID;
CREATE INDEX viewer_link_browser ON casework.viewer_link (browser_sha256) WHERE browser_sha256 IS NOT NULL;

-- The seconds somebody was at an examination, up to when they were last seen there; pauses count as far as the bot says.
ALTER TABLE casework.sitting ADD COLUMN seen_at timestamptz, ADD COLUMN seconds double precision NOT NULL DEFAULT 0
    CHECK (seconds >= 0);
-- The submitted image whose copy they were served at the viewer, by its SHA-256 (M19).
ALTER TABLE casework.sitting ADD COLUMN probe_sha256 text CHECK (probe_sha256 ~ '^[0-9a-f]{64}$');
UPDATE casework.sitting SET seen_at = opened_at;
UPDATE casework.sitting SET seen_at = opinion.concluded_at,
    seconds = greatest(0, extract(epoch FROM opinion.concluded_at - sitting.opened_at))
FROM casework.opinion WHERE opinion.search = sitting.search AND opinion.examiner = sitting.examiner;
ALTER TABLE casework.sitting ALTER COLUMN seen_at SET NOT NULL;

GRANT SELECT, INSERT ON casework.viewer_browser TO leadgate_bot;
GRANT UPDATE (used_at, ended_at) ON casework.viewer_browser TO leadgate_bot;
GRANT UPDATE (tries, browser_sha256) ON casework.viewer_link TO leadgate_bot;
GRANT UPDATE (seen_at, seconds, probe_sha256) ON casework.sitting TO leadgate_bot;
GRANT SELECT (person, proved_at, used_at, ended_at) ON casework.viewer_browser TO leadgate_auditor;
GRANT SELECT (tries) ON casework.viewer_link TO leadgate_auditor;
RESET ROLE;
