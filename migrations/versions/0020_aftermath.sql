-- Written once, like opinions; the words stand in the ledger's private part and in the search.
SET ROLE leadgate_owner;

CREATE TABLE casework.corroboration (
    search text NOT NULL REFERENCES casework.lead,
    n integer NOT NULL CHECK (n > 0),
    kind text NOT NULL CHECK (kind IN ('physical', 'witness', 'records', 'location', 'property', 'statement',
                                       'procedure', 'opinion')),
    recorded_by text NOT NULL REFERENCES casework.person,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (search, n)
);
CREATE TABLE casework.aftermath (
    search text PRIMARY KEY REFERENCES casework.lead,
    outcome text NOT NULL CHECK (outcome IN ('not-pursued', 'eliminated', 'arrest', 'unsolved', 'another-person')),
    recorded_by text NOT NULL REFERENCES casework.person,
    recorded_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON casework.corroboration, casework.aftermath TO leadgate_bot;
GRANT SELECT ON casework.corroboration, casework.aftermath TO leadgate_auditor;

-- What comes from the lead itself proves nothing: a lineup built on it, or somebody's opinion of the photographs.
CREATE FUNCTION casework.aftermath_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE held casework.search;
BEGIN
    SELECT * INTO held FROM casework.search WHERE id = NEW.search;
    IF held.requested_by <> NEW.recorded_by THEN
        PERFORM casework.refuse('own_request', 'whoever has the lead says what became of it');
    END IF;
    IF held.body ->> 'acknowledged_at' IS NULL THEN
        PERFORM casework.refuse('acknowledged_first', 'the lead was not acknowledged');
    END IF;
    IF TG_TABLE_NAME = 'aftermath' AND to_jsonb(NEW) ->> 'outcome' = 'arrest' AND NOT EXISTS (
        SELECT FROM casework.corroboration AS found WHERE found.search = NEW.search
            AND found.kind NOT IN ('procedure', 'opinion') AND found.recorded_at <= NEW.recorded_at) THEN
        PERFORM casework.refuse('independent_evidence_first', 'no arrest on a lead alone');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER aftermath_stands AFTER INSERT ON casework.aftermath DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.aftermath_stands();
CREATE CONSTRAINT TRIGGER corroboration_stands AFTER INSERT ON casework.corroboration DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.aftermath_stands();
RESET ROLE;
