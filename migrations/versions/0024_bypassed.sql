-- Who asks is a certified requester; who stands aside, let the photograph through or began to examine does not judge.
SET ROLE leadgate_owner;

CREATE FUNCTION casework.request_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.requested_by <> 'known-answer' THEN
        PERFORM casework.demand_role(NEW.id, NEW.requested_by, 'requester', NEW.requested_at);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER request_stands AFTER INSERT ON casework.search DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.request_stands();

-- In whichever order the two come.
CREATE FUNCTION casework.apart(asked text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said jsonb;
BEGIN
    SELECT body INTO said FROM casework.search WHERE id = asked;
    IF EXISTS (SELECT FROM casework.opinion WHERE search = asked AND examiner = said ->> 'overridden_by') THEN
        PERFORM casework.refuse('examines_not_approved', 'who let the photograph through may not examine');
    END IF;
    IF EXISTS (SELECT FROM casework.opinion WHERE search = asked AND coalesce(said -> 'conflicted', '[]') ? examiner) THEN
        PERFORM casework.refuse('no_conflict', 'who declared a conflict of interest stands aside');
    END IF;
    IF EXISTS (SELECT FROM casework.lead WHERE search = asked AND coalesce(said -> 'conflicted', '[]') ? supervisor) THEN
        PERFORM casework.refuse('no_conflict', 'who declared a conflict of interest stands aside');
    END IF;
    IF EXISTS (SELECT FROM casework.lead WHERE search = asked AND coalesce(said -> 'handed_back', '[]') ? supervisor) THEN
        PERFORM casework.refuse('decides_not_own', 'who began to examine may not decide');
    END IF;
END $$;

CREATE FUNCTION casework.row_apart() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM casework.apart(NEW.search);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER opinion_apart AFTER INSERT ON casework.opinion DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();
CREATE CONSTRAINT TRIGGER lead_apart AFTER INSERT ON casework.lead DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.row_apart();

CREATE FUNCTION casework.search_apart() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM casework.apart(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER search_apart AFTER UPDATE ON casework.search DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.body -> 'conflicted', OLD.body -> 'overridden_by', OLD.body -> 'handed_back')
        IS DISTINCT FROM (NEW.body -> 'conflicted', NEW.body -> 'overridden_by', NEW.body -> 'handed_back'))
    EXECUTE FUNCTION casework.search_apart();
RESET ROLE;
