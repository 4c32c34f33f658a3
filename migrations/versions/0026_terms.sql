-- The second wall believes the pack, not the row: approvals, emergencies, classes of photographs, the quality floor.
SET ROLE leadgate_owner;

-- What a pack asks of a search for one purpose; written once, by the first start that knows the pack and this table.
CREATE TABLE casework.terms (
    pack text NOT NULL,
    purpose text NOT NULL,
    approvers integer NOT NULL CHECK (approvers BETWEEN 0 AND 3), -- before anything is searched
    emergency_hours integer CHECK (emergency_hours BETWEEN 1 AND 72), -- NULL: this purpose is no emergency
    exceptional text[] NOT NULL, -- classes of photographs that an executive may allow
    exception_days integer NOT NULL CHECK (exception_days > 0),
    accepted_tiers text[] NOT NULL,
    override_tiers text[] NOT NULL,
    PRIMARY KEY (pack, purpose),
    FOREIGN KEY (pack, purpose) REFERENCES casework.purpose (pack, code)
);
GRANT SELECT, INSERT ON casework.terms TO leadgate_bot;
GRANT SELECT ON casework.terms TO leadgate_auditor;

-- Who let a face below the floor through; written once, like approvals.
CREATE TABLE casework.overridden (
    search text PRIMARY KEY,
    requested_by text NOT NULL,
    supervisor text NOT NULL REFERENCES casework.person,
    overridden_at timestamptz NOT NULL,
    FOREIGN KEY (search, requested_by) REFERENCES casework.search (id, requested_by),
    CONSTRAINT approves_not_own CHECK (supervisor <> requested_by)
);
GRANT SELECT, INSERT ON casework.overridden TO leadgate_bot;
GRANT SELECT ON casework.overridden TO leadgate_auditor;
INSERT INTO casework.overridden (search, requested_by, supervisor, overridden_at)
    SELECT search.id, search.requested_by, search.body ->> 'overridden_by', search.state_since FROM casework.search
    WHERE search.body ->> 'overridden_by' IS NOT NULL;

CREATE FUNCTION casework.overridden_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM casework.demand_role(NEW.search, NEW.supervisor, 'supervisor', NEW.overridden_at);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER overridden_stands AFTER INSERT ON casework.overridden DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.overridden_stands();

-- M40, M42: an executive is certified like everybody who approves, and the permission ends when the pack says.
CREATE OR REPLACE FUNCTION casework.permission_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held casework.search;
    longest integer;
BEGIN
    PERFORM casework.demand_role(NEW.search, NEW.executive, 'executive', NEW.allowed_at);
    SELECT * INTO held FROM casework.search WHERE id = NEW.search;
    IF NOT held.body -> 'repositories' @> to_jsonb(NEW.classes) THEN
        PERFORM casework.refuse('exception_asked', 'nobody asked for photographs of that class');
    END IF;
    SELECT exception_days INTO longest FROM casework.terms
        WHERE terms.pack = held.pack AND terms.purpose = held.purpose;
    IF NEW.allowed_until > NEW.allowed_at + make_interval(days => coalesce(longest, 0)) THEN
        PERFORM casework.refuse('permission_ends', format('such a permission ends after %s days', longest));
    END IF;
    RETURN NULL;
END $$;

-- A search stands on what its pack asks. Once it ran it is held to it for good, closed or not.
CREATE OR REPLACE FUNCTION casework.search_stands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ran boolean := NEW.state NOT IN ('held', 'closed') OR coalesce(NEW.body -> 'evidence', '{}') <> '{}';
    beyond jsonb := coalesce(NEW.body -> 'repositories', '[]');
    concerned boolean := beyond <> '[]' OR coalesce(NEW.body -> 'concerns', '[]') <> '[]';
    due timestamptz := (NEW.body ->> 'approval_due')::timestamptz;
    declared integer := coalesce((NEW.body ->> 'approvers')::integer, 0);
    asked casework.terms;
    needed integer;
    given integer;
BEGIN
    IF NEW.state = 'lead' AND NOT EXISTS (SELECT FROM casework.lead WHERE search = NEW.id) THEN
        PERFORM casework.refuse('lead_is_on_record', 'a lead stands on the opinions that it rests on');
    END IF;
    IF NOT ran THEN
        RETURN NULL;
    END IF;
    SELECT * INTO asked FROM casework.terms WHERE terms.pack = NEW.pack AND terms.purpose = NEW.purpose;
    IF asked.pack IS NULL THEN
        PERFORM casework.refuse('terms_on_record', format('what %s asks is not on record', NEW.pack));
    END IF;
    IF NEW.requested_by <> 'known-answer' THEN
        needed := greatest(asked.approvers, CASE WHEN concerned OR due IS NOT NULL THEN 1 ELSE 0 END);
        IF declared < needed THEN
            PERFORM casework.refuse('approvers_of_the_pack', format('%s have to approve it, not %s', needed, declared));
        END IF;
        SELECT count(*) INTO given FROM casework.approval WHERE search = NEW.id;
        -- M41, M43: only an emergency of the pack's own runs before its approval, and only without cause for concern.
        IF given < declared AND NOT coalesce(
            due <= NEW.requested_at + make_interval(hours => asked.emergency_hours) AND NOT concerned, false) THEN
            PERFORM casework.refuse('held_until_approved', 'the search waits for an approval');
        END IF;
    END IF;
    IF NOT beyond <@ to_jsonb(asked.exceptional) THEN
        PERFORM casework.refuse('class_of_the_pack', 'the pack knows no way to photographs of that class');
    END IF;
    IF beyond <> '[]' AND NOT EXISTS (SELECT FROM casework.permission AS allowed
            WHERE allowed.search = NEW.id AND to_jsonb(allowed.classes) @> beyond) THEN
        PERFORM casework.refuse('permitted_in_writing', 'no executive allowed these photographs');
    END IF;
    RETURN NULL;
END $$;

-- How far the pipeline is: 0 before the face was taken, 1 once it was, 2 once the gallery was searched.
CREATE FUNCTION casework.stage(state text, body jsonb) RETURNS integer LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN state IN ('searched', 'in-review', 'disagreed', 'agreed', 'lead') OR coalesce(body -> 'evidence', '{}') <> '{}' THEN 2
    WHEN state = 'assessed' THEN 1 ELSE 0 END;

-- What has to be so at the moment a search goes on, and may be otherwise later.
CREATE FUNCTION casework.step_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before integer := 0;
    reached integer := casework.stage(NEW.state, NEW.body);
    asked casework.terms;
    tier text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := casework.stage(OLD.state, OLD.body);
    END IF;
    SELECT * INTO asked FROM casework.terms WHERE terms.pack = NEW.pack AND terms.purpose = NEW.purpose;
    -- M8: below the floor nothing is searched, unless a supervisor let it through and the pack allows that.
    IF before = 0 AND reached > 0 THEN
        SELECT one ->> 'tier' INTO tier FROM jsonb_array_elements(NEW.body -> 'faces') AS one
            WHERE one -> 'index' = NEW.body -> 'face';
        IF NOT coalesce(tier = ANY (asked.accepted_tiers), false) AND NOT (coalesce(tier = ANY (asked.override_tiers), false)
            AND EXISTS (SELECT FROM casework.overridden WHERE search = NEW.id)) THEN
            PERFORM casework.refuse('quality_floor', 'the face is below what the pack lets be searched');
        END IF;
    END IF;
    -- M42: a permission that ran out lets nothing be searched.
    IF before < 2 AND reached = 2 AND coalesce(NEW.body -> 'repositories', '[]') <> '[]'
        AND NOT EXISTS (SELECT FROM casework.permission WHERE search = NEW.id AND allowed_until > NEW.state_since) THEN
        PERFORM casework.refuse('permission_ended', 'the permission for these photographs ran out');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER step_stands AFTER INSERT OR UPDATE ON casework.search DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.step_stands();

-- Who knows what the request, the opinions or the record say does not examine; who approved does not allow as well.
CREATE OR REPLACE FUNCTION casework.apart(asked text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said jsonb;
BEGIN
    SELECT body INTO said FROM casework.search WHERE id = asked;
    IF EXISTS (SELECT FROM casework.opinion WHERE search = asked AND (
            examiner IN (SELECT supervisor FROM casework.overridden WHERE search = asked)
            OR examiner IN (SELECT executive FROM casework.permission WHERE search = asked)
            OR examiner = said ->> 'overridden_by')) THEN
        PERFORM casework.refuse('examines_not_approved', 'who let photographs through may not examine');
    END IF;
    IF EXISTS (SELECT FROM casework.opinion JOIN casework.returned ON returned.search = opinion.search
               AND returned.supervisor = opinion.examiner WHERE opinion.search = asked) THEN
        PERFORM casework.refuse('examines_not_returned', 'who sent the review back may not examine');
    END IF;
    IF EXISTS (SELECT FROM casework.permission JOIN casework.approval ON approval.search = permission.search
               AND approval.approver = permission.executive WHERE permission.search = asked) THEN
        PERFORM casework.refuse('allows_not_approved', 'who approved the request may not allow its photographs');
    END IF;
    IF EXISTS (SELECT FROM casework.opinion WHERE search = asked AND coalesce(said -> 'conflicted', '[]') ? examiner)
        OR EXISTS (SELECT FROM casework.lead WHERE search = asked AND coalesce(said -> 'conflicted', '[]') ? supervisor) THEN
        PERFORM casework.refuse('no_conflict', 'who declared a conflict of interest stands aside');
    END IF;
    IF EXISTS (SELECT FROM casework.lead WHERE search = asked AND coalesce(said -> 'handed_back', '[]') ? supervisor)
        OR EXISTS (SELECT FROM casework.returned WHERE search = asked AND coalesce(said -> 'handed_back', '[]') ? supervisor) THEN
        PERFORM casework.refuse('decides_not_own', 'who began to examine may not decide');
    END IF;
    IF EXISTS (SELECT FROM casework.approval WHERE search = asked AND coalesce(said -> 'handed_back', '[]') ? approver) THEN
        PERFORM casework.refuse('approves_not_examined', 'who began to examine may not approve the request');
    END IF;
END $$;

-- In whichever order the two come.
CREATE CONSTRAINT TRIGGER approval_apart AFTER INSERT ON casework.approval DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();
CREATE CONSTRAINT TRIGGER permission_apart AFTER INSERT ON casework.permission DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();
CREATE CONSTRAINT TRIGGER returned_apart AFTER INSERT ON casework.returned DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();
CREATE CONSTRAINT TRIGGER overridden_apart AFTER INSERT ON casework.overridden DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();

REVOKE ALL ON FUNCTION casework.stage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION casework.stage TO leadgate_bot;
RESET ROLE;
