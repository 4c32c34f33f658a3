-- Retention by class (M32). The bot deletes through these functions only, and never what is held or still open.
SET ROLE leadgate_owner;

CREATE TABLE casework.hold (
    search text PRIMARY KEY REFERENCES casework.search,
    reason text NOT NULL CHECK (reason <> ''),
    held_by text NOT NULL CHECK (held_by <> ''),
    held_at timestamptz NOT NULL
);

-- How old a search's photographs are for this purpose: since it was over, or since it was asked for.
CREATE VIEW casework.over AS
    SELECT search.id AS search, search.pack, search.requested_at AS created, max(entry.recorded_at) AS closed
    FROM casework.search JOIN ledger.entry ON entry.stream = 'search:' || search.id
        AND entry.kind IN ('SearchClosed', 'LeadIssued', 'KnownAnswerInjected')
    WHERE search.outcome IS NOT NULL AND NOT EXISTS (SELECT FROM casework.hold WHERE hold.search = search.id)
    GROUP BY search.id, search.pack, search.requested_at;

-- Everything of one class that is kept of a search is gone; with the last photograph goes the key that opened them.
CREATE FUNCTION casework.purge(asked text, class text, before timestamptz) RETURNS TABLE (sha256 text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM casework.search WHERE id = asked FOR UPDATE;
    IF NOT EXISTS (SELECT FROM casework.over WHERE over.search = asked AND over.created < before) THEN
        RAISE EXCEPTION 'casework: search % is open, held or too young to be purged', asked USING ERRCODE = '23514';
    END IF;
    IF class = 'probe' THEN
        RETURN QUERY DELETE FROM casework.photo WHERE photo.search = asked AND photo.kind IN ('original', 'marked')
            RETURNING photo.sha256;
    ELSIF class = 'working-copy' THEN
        RETURN QUERY DELETE FROM casework.photo WHERE photo.search = asked AND photo.kind = 'copy'
            RETURNING photo.sha256;
        RETURN QUERY DELETE FROM casework.prepared WHERE prepared.search = asked RETURNING prepared.sha256;
    ELSIF class = 'request' THEN
        UPDATE casework.search SET case_number = 'purged',
            body = body || jsonb_build_object('fields', '{}'::jsonb, 'case_number', 'purged')
            WHERE id = asked;
    ELSE
        RAISE EXCEPTION 'casework: there is no class %', class USING ERRCODE = '23514';
    END IF;
    IF NOT EXISTS (SELECT FROM casework.photo WHERE photo.search = asked)
        AND NOT EXISTS (SELECT FROM casework.prepared WHERE prepared.search = asked) THEN
        DELETE FROM casework.seal_key WHERE seal_key.search = asked;
    END IF;
END $$;

-- As before, and the case number goes with the words of the request, through the function above alone.
CREATE OR REPLACE FUNCTION casework.request_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    purged boolean := NEW.case_number = 'purged' AND current_user = 'leadgate_owner';
BEGIN
    IF (NEW.pack, NEW.purpose, NEW.requested_by, NEW.requested_at)
        IS DISTINCT FROM (OLD.pack, OLD.purpose, OLD.requested_by, OLD.requested_at)
        OR (NEW.case_number IS DISTINCT FROM OLD.case_number AND NOT purged) THEN
        PERFORM casework.refuse('request_stays', 'what was requested, and under which pack, does not change');
    END IF;
    FOREACH name IN ARRAY ARRAY['pack', 'purpose', 'requested_by', 'approvers', 'approval_due', 'repositories'] LOOP
        IF NEW.body -> name IS DISTINCT FROM OLD.body -> name THEN
            PERFORM casework.refuse('request_stays', format('%s of a request does not change', name));
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- Operational logs, never those of the last year (CJIS: audit records for at least 365 days).
CREATE FUNCTION logs.purge(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF before > clock_timestamp() - interval '365 days' THEN
        RAISE EXCEPTION 'logs: those of the last year are kept' USING ERRCODE = '23514';
    END IF;
    DELETE FROM logs.record WHERE at < before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE ALL ON FUNCTION casework.purge(text, text, timestamptz), logs.purge(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION casework.purge(text, text, timestamptz), logs.purge(timestamptz) TO leadgate_bot;
GRANT SELECT, INSERT, DELETE ON casework.hold TO leadgate_bot;
GRANT SELECT ON casework.over TO leadgate_bot, leadgate_auditor;
GRANT SELECT ON casework.hold TO leadgate_auditor;
RESET ROLE;
