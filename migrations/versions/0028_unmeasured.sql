-- Photographs that were looked at with a model and did not show it one face.
SET ROLE leadgate_owner;

CREATE TABLE gallery.faceless (
    photograph text NOT NULL REFERENCES gallery.photograph ON DELETE CASCADE,
    model_sha256 text NOT NULL CHECK (model_sha256 ~ '^[0-9a-f]{64}$'),
    faces integer NOT NULL CHECK (faces >= 0 AND faces <> 1),
    PRIMARY KEY (photograph, model_sha256)
);

CREATE OR REPLACE FUNCTION gallery.measured() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    INSERT INTO gallery.change (number) SELECT number FROM gallery.photograph
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.photograph ELSE NEW.photograph END;
    PERFORM pg_notify('leadgate_gallery', '');
    RETURN NULL;
END $$;
CREATE TRIGGER unmeasured AFTER DELETE ON gallery.embedding
    FOR EACH ROW EXECUTE FUNCTION gallery.measured();
CREATE TRIGGER measured AFTER INSERT OR DELETE ON gallery.faceless
    FOR EACH ROW EXECUTE FUNCTION gallery.measured();

GRANT SELECT, INSERT ON gallery.faceless TO leadgate_matcher;
GRANT SELECT ON gallery.faceless TO leadgate_auditor;
RESET ROLE;
