-- How long the vectors of a model are: as long as its first one.
SET ROLE leadgate_owner;

CREATE TABLE gallery.model (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 8192)
);
INSERT INTO gallery.model (sha256, dimension)
    SELECT model_sha256, min(octet_length(vector)) / 4 FROM gallery.embedding GROUP BY model_sha256;

CREATE FUNCTION gallery.check_vector() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted integer;
    numbers integer := octet_length(NEW.vector) / 4;
BEGIN
    SELECT dimension INTO wanted FROM gallery.model WHERE sha256 = NEW.model_sha256;
    IF wanted IS NULL THEN
        INSERT INTO gallery.model (sha256, dimension) VALUES (NEW.model_sha256, numbers) ON CONFLICT DO NOTHING;
        SELECT dimension INTO wanted FROM gallery.model WHERE sha256 = NEW.model_sha256;
    END IF;
    IF numbers IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'gallery: a vector of % numbers is not of this model, whose vectors have %', numbers, wanted
            USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_vector BEFORE INSERT OR UPDATE ON gallery.embedding
    FOR EACH ROW EXECUTE FUNCTION gallery.check_vector();

CREATE FUNCTION gallery.measured() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    INSERT INTO gallery.change (number) SELECT number FROM gallery.photograph WHERE id = NEW.photograph;
    PERFORM pg_notify('leadgate_gallery', '');
    RETURN NULL;
END $$;
CREATE TRIGGER measured AFTER INSERT OR UPDATE ON gallery.embedding
    FOR EACH ROW EXECUTE FUNCTION gallery.measured();

REVOKE ALL ON FUNCTION gallery.check_vector(), gallery.measured() FROM PUBLIC;
GRANT SELECT ON gallery.model TO leadgate_matcher, leadgate_auditor;
RESET ROLE;
