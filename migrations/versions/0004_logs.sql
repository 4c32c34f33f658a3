-- The operational log. Best effort: what is lost is counted, and shows as a gap in `number`.

CREATE SCHEMA logs AUTHORIZATION leadgate_owner;
GRANT USAGE ON SCHEMA logs TO leadgate_bot, leadgate_auditor;
SET ROLE leadgate_owner;

CREATE TABLE logs.record (
    run text NOT NULL CHECK (run <> ''), -- one start of one process
    number bigint NOT NULL CHECK (number > 0), -- counts every record of the run, those that were dropped too
    at timestamptz NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 10 AND 50), -- as Python's logging counts
    service text NOT NULL CHECK (service <> ''),
    event text NOT NULL,
    context jsonb NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE INDEX record_at ON logs.record USING brin (at);
CREATE INDEX record_of_search ON logs.record ((context ->> 'search'), at) WHERE context ? 'search';

GRANT INSERT ON logs.record TO leadgate_bot;
GRANT SELECT ON logs.record TO leadgate_auditor;
RESET ROLE;
