-- Each return asks for one more opinion that agrees; a search may end by a fault of the desk's own.
SET ROLE leadgate_owner;

ALTER TABLE casework.search DROP CONSTRAINT search_outcome_check;
ALTER TABLE casework.search ADD CONSTRAINT search_outcome_check CHECK (outcome IN
    ('possible-match', 'no-possible-match', 'unsuitable', 'withdrawn', 'rejected', 'known-answer', 'error'));

CREATE TABLE casework.returned (
    search text NOT NULL REFERENCES casework.search,
    n integer NOT NULL CHECK (n > 0),
    supervisor text NOT NULL REFERENCES casework.person,
    reason text NOT NULL CHECK (btrim(reason) <> ''),
    returned_at timestamptz NOT NULL,
    PRIMARY KEY (search, n)
);
GRANT SELECT, INSERT ON casework.returned TO leadgate_bot;
GRANT SELECT ON casework.returned TO leadgate_auditor;

-- Whoever examined or asked does not send it back; a lead needs as many opinions more as it was sent back.
CREATE FUNCTION casework.returned_by_an_outsider() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM casework.opinion WHERE search = NEW.search AND examiner = NEW.supervisor)
        OR EXISTS (SELECT FROM casework.search WHERE id = NEW.search AND requested_by = NEW.supervisor) THEN
        PERFORM casework.refuse('returned_by_an_outsider', 'whoever examined or asked does not send it back');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER returned_by_an_outsider AFTER INSERT ON casework.returned DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.returned_by_an_outsider();

CREATE FUNCTION casework.lead_after_returns() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    needed integer;
    agreeing integer;
BEGIN
    SELECT pack.examiners + (SELECT count(*) FROM casework.returned WHERE returned.search = NEW.search) INTO needed
        FROM casework.search JOIN casework.pack ON pack.id = search.pack WHERE search.id = NEW.search;
    SELECT count(*) INTO agreeing FROM casework.opinion WHERE search = NEW.search AND candidate = NEW.candidate;
    IF agreeing < needed THEN
        PERFORM casework.refuse('lead_after_returns', format('%s of %s examiners agree', agreeing, needed));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lead_after_returns AFTER INSERT ON casework.lead DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.lead_after_returns();

-- As before, and with the words of the request go what examiners added.
CREATE OR REPLACE FUNCTION casework.purge(asked text, class text, before timestamptz) RETURNS TABLE (sha256 text)
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
            body = body || jsonb_build_object('fields', '{}'::jsonb, 'case_number', 'purged', 'context', NULL,
                'resolutions', '{}'::jsonb, 'corroboration', '[]'::jsonb, 'notes', '[]'::jsonb)
            WHERE id = asked;
    ELSE
        RAISE EXCEPTION 'casework: there is no class %', class USING ERRCODE = '23514';
    END IF;
    IF NOT EXISTS (SELECT FROM casework.photo WHERE photo.search = asked)
        AND NOT EXISTS (SELECT FROM casework.prepared WHERE prepared.search = asked) THEN
        DELETE FROM casework.seal_key WHERE seal_key.search = asked;
    END IF;
END $$;
RESET ROLE;
