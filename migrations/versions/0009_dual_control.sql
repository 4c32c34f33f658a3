-- Which rule of which policy pack batches are enrolled under. Rules are only added; the newest is in force.
SET ROLE leadgate_owner;

CREATE TABLE gallery.rule (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pack text NOT NULL CHECK (pack <> ''), -- name@version
    pack_sha256 text NOT NULL CHECK (pack_sha256 ~ '^[0-9a-f]{64}$'),
    dual_control boolean NOT NULL,
    set_by text NOT NULL CHECK (set_by <> ''),
    set_at timestamptz NOT NULL
);
-- A rule may be made stricter by whoever enrols; only the database's owner makes it looser. The ledger remembers both.
CREATE FUNCTION gallery.check_rule() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    two_people boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery rule', 0));
    SELECT dual_control INTO two_people FROM gallery.rule ORDER BY n DESC LIMIT 1;
    IF two_people AND NOT NEW.dual_control AND NOT pg_has_role(session_user, 'leadgate_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'gallery: only the owner of the database lets one person enrol alone' USING ERRCODE = '42501';
    END IF;
    PERFORM ledger.append('gallery', 'EnrolmentRuleSet', NEW.set_at, NEW.set_by, jsonb_build_object(
        'pack', NEW.pack, 'pack_sha256', NEW.pack_sha256, 'dual_control', NEW.dual_control));
    RETURN NEW;
END $$;
CREATE TRIGGER check_rule BEFORE INSERT ON gallery.rule FOR EACH ROW EXECUTE FUNCTION gallery.check_rule();

-- A batch that was made before there were rules was made under none that we know.
INSERT INTO gallery.rule (pack, pack_sha256, dual_control, set_by, set_at)
    SELECT 'before-packs', repeat('0', 64), false, 'migration', now() WHERE EXISTS (SELECT FROM gallery.batch);
ALTER TABLE gallery.batch ADD COLUMN rule bigint REFERENCES gallery.rule;
UPDATE gallery.batch SET rule = (SELECT max(n) FROM gallery.rule);
ALTER TABLE gallery.batch ALTER COLUMN rule SET NOT NULL;
-- What was approved is closed: the rest of the same manifest is another batch.
ALTER TABLE gallery.batch DROP CONSTRAINT one_batch_per_manifest;
CREATE UNIQUE INDEX one_open_batch ON gallery.batch (manifest_sha256, made_by, needs_approval)
    WHERE approved_by IS NULL;

CREATE FUNCTION gallery.check_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest gallery.rule;
BEGIN
    SELECT * INTO newest FROM gallery.rule ORDER BY n DESC LIMIT 1;
    IF NEW.rule IS DISTINCT FROM newest.n THEN
        RAISE EXCEPTION 'gallery: the batch is not made under the rule in force' USING ERRCODE = '23514';
    END IF;
    IF newest.dual_control AND NOT NEW.needs_approval THEN
        RAISE EXCEPTION 'gallery: % asks for two people', newest.pack USING ERRCODE = '23514';
    END IF;
    IF NEW.approved_by IS NOT NULL THEN
        RAISE EXCEPTION 'gallery: nothing is approved before it is there' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_batch BEFORE INSERT ON gallery.batch FOR EACH ROW EXECUTE FUNCTION gallery.check_batch();

CREATE FUNCTION gallery.check_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    two_people boolean;
    held gallery.batch;
BEGIN
    SELECT dual_control INTO two_people FROM gallery.rule ORDER BY n DESC LIMIT 1;
    SELECT * INTO held FROM gallery.batch WHERE id = NEW.batch FOR SHARE; -- an approval waits, and then covers it
    IF two_people AND (held.id IS NULL OR NOT held.needs_approval) THEN
        RAISE EXCEPTION 'gallery: a photograph enters with a batch that a second person approves'
            USING ERRCODE = '23514';
    END IF;
    IF held.approved_by IS NOT NULL THEN
        RAISE EXCEPTION 'gallery: batch % is approved and closed', held.id USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_entry BEFORE INSERT ON gallery.photograph FOR EACH ROW EXECUTE FUNCTION gallery.check_entry();

CREATE FUNCTION gallery.check_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'gallery: batch % is approved; that is not taken back or changed', OLD.id USING ERRCODE = '23514';
END $$;
CREATE TRIGGER check_approval BEFORE UPDATE ON gallery.batch
    FOR EACH ROW WHEN (OLD.approved_by IS NOT NULL) EXECUTE FUNCTION gallery.check_approval();

REVOKE ALL ON FUNCTION gallery.check_rule(), gallery.check_batch(), gallery.check_entry(), gallery.check_approval()
    FROM PUBLIC;
-- After enrolment a photograph changes in nothing but its seal, and a batch in nothing but its approval.
REVOKE UPDATE ON gallery.person, gallery.photograph, gallery.picture, gallery.embedding, gallery.batch
    FROM leadgate_matcher;
REVOKE DELETE ON gallery.picture, gallery.embedding FROM leadgate_matcher; -- they go with their photograph
GRANT UPDATE (sealed, seal_order) ON gallery.photograph TO leadgate_matcher;
GRANT UPDATE (approved_by, approved_at) ON gallery.batch TO leadgate_matcher;
GRANT SELECT, INSERT ON gallery.rule TO leadgate_matcher;
GRANT SELECT ON gallery.rule TO leadgate_auditor;
RESET ROLE;
