-- The second wall behind `decide`. Checked when the transaction ends, since a search is saved before what led to it.
SET ROLE leadgate_owner;

-- What of a pack the database holds people to; written once, with the pack.
ALTER TABLE casework.pack
    ADD COLUMN examiners integer NOT NULL DEFAULT 2 CHECK (examiners BETWEEN 2 AND 3),
    ADD COLUMN supervisor_decides boolean NOT NULL DEFAULT true,
    ADD COLUMN certification boolean NOT NULL DEFAULT true;

CREATE FUNCTION casework.refuse(rule text, why text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'casework: %', why USING ERRCODE = '23514', CONSTRAINT = rule;
END $$;

-- M40: on the roster, in that role, and certified at that moment where the search's pack asks for it.
CREATE FUNCTION casework.demand_role(in_search text, in_person text, in_role text, in_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who casework.person;
    needed boolean;
BEGIN
    SELECT * INTO who FROM casework.person WHERE id = in_person;
    IF who.id IS NULL OR NOT who.active OR NOT in_role = ANY (who.roles) THEN
        PERFORM casework.refuse('has_role', format('%s is no %s', in_person, in_role));
    END IF;
    SELECT pack.certification INTO needed FROM casework.search JOIN casework.pack ON pack.id = search.pack
        WHERE search.id = in_search;
    IF coalesce(needed, true) AND (who.certified_until IS NULL OR who.certified_until <= in_at) THEN
        PERFORM casework.refuse('is_certified', format('%s is not certified', in_person));
    END IF;
END $$;

CREATE FUNCTION casework.opinion_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM casework.demand_role(NEW.search, NEW.examiner, 'examiner', NEW.concluded_at);
    IF EXISTS (SELECT FROM casework.approval WHERE search = NEW.search AND approver = NEW.examiner) THEN
        PERFORM casework.refuse('examines_not_approved', 'who approved the request may not examine');
    END IF;
    IF EXISTS (SELECT FROM casework.search WHERE id = NEW.search
               AND state IN ('held', 'requested', 'face-needed', 'quality-held', 'assessed', 'searched')) THEN
        PERFORM casework.refuse('opinion_in_review', 'there is nothing to examine yet');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER opinion_stands AFTER INSERT ON casework.opinion DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.opinion_stands();

CREATE FUNCTION casework.approval_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM casework.demand_role(NEW.search, NEW.approver, 'supervisor', NEW.approved_at);
    IF EXISTS (SELECT FROM casework.opinion WHERE search = NEW.search AND examiner = NEW.approver) THEN
        PERFORM casework.refuse('approves_not_examined', 'who examined may not approve the request');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER approval_stands AFTER INSERT ON casework.approval DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.approval_stands();

-- A lead has as many opinions for its candidate as the search's own pack asks for, and the supervisor whom it asks for.
CREATE FUNCTION casework.lead_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held casework.search;
    rules casework.pack;
    agreeing integer;
BEGIN
    SELECT * INTO held FROM casework.search WHERE id = NEW.search;
    SELECT * INTO rules FROM casework.pack WHERE id = held.pack;
    SELECT count(*) INTO agreeing FROM casework.opinion WHERE search = NEW.search AND candidate = NEW.candidate;
    IF agreeing < rules.examiners THEN
        PERFORM casework.refuse('packs_reviewers', format('%s of %s examiners agree', agreeing, rules.examiners));
    END IF;
    IF rules.supervisor_decides AND NEW.supervisor IS NULL THEN
        PERFORM casework.refuse('supervisor_decides', 'no supervisor decided');
    END IF;
    IF NEW.supervisor IS NOT NULL THEN
        PERFORM casework.demand_role(NEW.search, NEW.supervisor, 'supervisor', NEW.issued_at);
        IF NEW.supervisor = held.requested_by
            OR EXISTS (SELECT FROM casework.opinion WHERE search = NEW.search AND examiner = NEW.supervisor) THEN
            PERFORM casework.refuse('decides_not_own', 'neither who asked nor who examined may decide');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lead_stands AFTER INSERT ON casework.lead DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.lead_stands();

-- M44: what a search was requested as, and under which pack, stays; whatever else its row says of itself.
CREATE FUNCTION casework.request_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text;
BEGIN
    IF (NEW.pack, NEW.purpose, NEW.case_number, NEW.requested_by, NEW.requested_at)
        IS DISTINCT FROM (OLD.pack, OLD.purpose, OLD.case_number, OLD.requested_by, OLD.requested_at) THEN
        PERFORM casework.refuse('request_stays', 'what was requested, and under which pack, does not change');
    END IF;
    FOREACH name IN ARRAY ARRAY['pack', 'purpose', 'requested_by', 'approvers', 'approval_due', 'repositories'] LOOP
        IF NEW.body -> name IS DISTINCT FROM OLD.body -> name THEN
            PERFORM casework.refuse('request_stays', format('%s of a request does not change', name));
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER request_stays BEFORE UPDATE ON casework.search
    FOR EACH ROW EXECUTE FUNCTION casework.request_stays();

CREATE FUNCTION casework.search_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
    IF NEW.state = 'lead' AND NOT EXISTS (SELECT FROM casework.lead WHERE search = NEW.id) THEN
        PERFORM casework.refuse('lead_is_on_record', 'a lead stands on the opinions that it rests on');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER search_stands AFTER INSERT OR UPDATE ON casework.search DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.search_stands();

ALTER TABLE casework.search ADD CONSTRAINT own_pack CHECK (body ->> 'pack' = pack);
REVOKE ALL ON FUNCTION casework.refuse, casework.demand_role FROM PUBLIC;
GRANT EXECUTE ON FUNCTION casework.refuse, casework.demand_role TO leadgate_bot;
RESET ROLE;
