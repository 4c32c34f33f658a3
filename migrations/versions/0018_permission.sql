-- An executive's permission, in writing and until a date; the second wall behind AllowRepository (M42).
SET ROLE leadgate_owner;

-- Written once, like approvals: no role may update or delete them.
CREATE TABLE casework.permission (
    search text PRIMARY KEY,
    requested_by text NOT NULL,
    executive text NOT NULL REFERENCES casework.person,
    classes text[] NOT NULL CHECK (cardinality(classes) > 0),
    reason text NOT NULL CHECK (reason ~ '\S'),
    allowed_at timestamptz NOT NULL,
    allowed_until timestamptz NOT NULL CHECK (allowed_until > allowed_at),
    FOREIGN KEY (search, requested_by) REFERENCES casework.search (id, requested_by),
    CONSTRAINT approves_not_own CHECK (executive <> requested_by)
);
GRANT SELECT, INSERT ON casework.permission TO leadgate_bot;
GRANT SELECT ON casework.permission TO leadgate_auditor;

-- An executive examines nothing and needs no examiner's certificate; but has to be on the roster as one.
CREATE FUNCTION casework.permission_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE held casework.search;
BEGIN
    IF NOT EXISTS (SELECT FROM casework.person WHERE id = NEW.executive AND active AND 'executive' = ANY (roles)) THEN
        PERFORM casework.refuse('has_role', format('%s is no executive', NEW.executive));
    END IF;
    SELECT * INTO held FROM casework.search WHERE id = NEW.search;
    IF NOT held.body -> 'repositories' @> to_jsonb(NEW.classes) THEN
        PERFORM casework.refuse('exception_asked', 'nobody asked for photographs of that class');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER permission_stands AFTER INSERT ON casework.permission DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.permission_stands();

CREATE OR REPLACE FUNCTION casework.search_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE given integer;
BEGIN
    IF NEW.state IN ('held', 'closed') THEN
        RETURN NULL;
    END IF;
    IF NEW.body ->> 'approval_due' IS NULL THEN
        SELECT count(*) INTO given FROM casework.approval WHERE search = NEW.id;
        IF given < coalesce((NEW.body ->> 'approvers')::integer, 0) THEN
            PERFORM casework.refuse('held_until_approved', 'the search waits for an approval');
        END IF;
    END IF;
    IF jsonb_array_length(coalesce(NEW.body -> 'repositories', '[]')) > 0
        AND NOT EXISTS (SELECT FROM casework.permission WHERE search = NEW.id) THEN
        PERFORM casework.refuse('permitted_in_writing', 'no executive allowed these photographs');
    END IF;
    IF NEW.state = 'lead' AND NOT EXISTS (SELECT FROM casework.lead WHERE search = NEW.id) THEN
        PERFORM casework.refuse('lead_is_on_record', 'a lead stands on the opinions that it rests on');
    END IF;
    RETURN NULL;
END $$;
RESET ROLE;
