-- What the arrest record contradicts, and who resolved it; when whom the gallery has on file was in custody.
SET ROLE leadgate_owner;

-- Written once, like opinions. The words stand in the ledger's private part and in the search; here, that they exist.
CREATE TABLE casework.context (
    search text PRIMARY KEY REFERENCES casework.search,
    candidate text NOT NULL,
    contradicts text[] NOT NULL
        CHECK (contradicts <@ ARRAY['height', 'weight', 'age', 'sex', 'marks', 'custody']),
    opened_at timestamptz NOT NULL
);
CREATE TABLE casework.resolution (
    search text NOT NULL REFERENCES casework.context,
    fact text NOT NULL,
    resolved_by text NOT NULL REFERENCES casework.person,
    resolved_at timestamptz NOT NULL,
    PRIMARY KEY (search, fact)
);
GRANT SELECT, INSERT ON casework.context, casework.resolution TO leadgate_bot;
GRANT SELECT ON casework.context, casework.resolution TO leadgate_auditor;

-- M22: nobody looks at the record before the opinions that it could sway are locked.
CREATE FUNCTION casework.context_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    needed integer;
    agreeing integer;
BEGIN
    SELECT pack.examiners INTO needed FROM casework.search JOIN casework.pack ON pack.id = search.pack
        WHERE search.id = NEW.search;
    SELECT count(*) INTO agreeing FROM casework.opinion WHERE search = NEW.search AND candidate = NEW.candidate;
    IF agreeing < needed THEN
        PERFORM casework.refuse('opinions_first', format('%s of %s examiners agree', agreeing, needed));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER context_stands AFTER INSERT ON casework.context DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.context_stands();

CREATE FUNCTION casework.lead_with_record() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    looked casework.context;
    against text;
BEGIN
    SELECT * INTO looked FROM casework.context WHERE search = NEW.search AND candidate = NEW.candidate;
    IF looked.search IS NULL THEN
        PERFORM casework.refuse('context_first', 'nobody looked at the record of this candidate');
    END IF;
    FOREACH against IN ARRAY looked.contradicts LOOP
        IF NOT EXISTS (SELECT FROM casework.resolution AS made WHERE made.search = NEW.search AND made.fact = against
                       AND made.resolved_by = NEW.supervisor) THEN
            PERFORM casework.refuse('resolves_contradictions', format('%s contradicts the record', against));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lead_with_record AFTER INSERT ON casework.lead DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.lead_with_record();

-- As before, and with the words of the request go those that were compared with it.
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
                'resolutions', '{}'::jsonb, 'corroboration', '[]'::jsonb)
            WHERE id = asked;
    ELSE
        RAISE EXCEPTION 'casework: there is no class %', class USING ERRCODE = '23514';
    END IF;
    IF NOT EXISTS (SELECT FROM casework.photo WHERE photo.search = asked)
        AND NOT EXISTS (SELECT FROM casework.prepared WHERE prepared.search = asked) THEN
        DELETE FROM casework.seal_key WHERE seal_key.search = asked;
    END IF;
END $$;

-- When a person of the gallery was in custody, as the agency's register says. It goes with the person (expungement).
CREATE TABLE gallery.custody (
    person text NOT NULL REFERENCES gallery.person ON DELETE CASCADE,
    began date NOT NULL,
    ended date CHECK (ended >= began), -- none: still there
    said_by text NOT NULL CHECK (said_by <> ''), -- the register
    PRIMARY KEY (person, began)
);
GRANT SELECT, INSERT, UPDATE ON gallery.custody TO leadgate_matcher;
GRANT SELECT ON gallery.custody TO leadgate_auditor;
RESET ROLE;
