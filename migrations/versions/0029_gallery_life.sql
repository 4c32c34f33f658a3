-- What a court sealed or had expunged does not come back under another line, and nobody approves under two spellings.
SET ROLE leadgate_owner;

-- The digest of the image as the agency exported it, where what is enrolled is a conversion of it (JPEG 2000 from an
-- ANSI/NIST-ITL file). A court's copy of the export has this one.
ALTER TABLE gallery.photograph ADD COLUMN source_sha256 text CHECK (source_sha256 ~ '^[0-9a-f]{64}$');
-- Which login of the database acted: `--by` is what somebody typed. Of earlier batches nobody knows.
ALTER TABLE gallery.batch ADD COLUMN made_login text;
ALTER TABLE gallery.batch ADD COLUMN approved_login text;
ALTER TABLE gallery.batch ADD CONSTRAINT approved_by_another_name
    CHECK (lower(btrim(approved_by)) <> lower(btrim(made_by))) NOT VALID;

CREATE FUNCTION gallery.note_login() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_login := session_user;
        NEW.approved_login := NULL;
    ELSE
        NEW.made_login := OLD.made_login;
        NEW.approved_login := CASE WHEN NEW.approved_by IS NULL THEN NULL ELSE session_user END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER note_login BEFORE INSERT OR UPDATE ON gallery.batch FOR EACH ROW EXECUTE FUNCTION gallery.note_login();

-- One at a time: whoever enters a photograph waits for whoever expunges or seals, and then sees it.
CREATE FUNCTION gallery.one_at_a_time() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    RETURN NEW;
END $$;
CREATE TRIGGER one_at_a_time BEFORE INSERT ON gallery.expunged
    FOR EACH STATEMENT EXECUTE FUNCTION gallery.one_at_a_time();

-- An order is about an arrest, or about a picture, not about a line of a manifest: it holds for further lines, too.
CREATE FUNCTION gallery.check_orders() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held gallery.photograph;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    IF EXISTS (SELECT FROM gallery.expunged WHERE ingest_sha256 = NEW.ingest_sha256) THEN
        RAISE EXCEPTION 'gallery: a court had this photograph expunged; it is not enrolled again'
            USING ERRCODE = '23514';
    END IF;
    SELECT * INTO held FROM gallery.photograph
        WHERE sealed AND (ingest_sha256 = NEW.ingest_sha256 OR (agency = NEW.agency AND arrest_id = NEW.arrest_id))
        ORDER BY seal_order IS NULL, number LIMIT 1;
    IF held.id IS NOT NULL THEN
        NEW.sealed := true;
        NEW.seal_order := held.seal_order;
    END IF;
    NEW.juvenile := NEW.juvenile
        OR EXISTS (SELECT FROM gallery.photograph WHERE juvenile AND ingest_sha256 = NEW.ingest_sha256);
    RETURN NEW;
END $$;
CREATE TRIGGER check_orders BEFORE INSERT ON gallery.photograph
    FOR EACH ROW EXECUTE FUNCTION gallery.check_orders();
CREATE INDEX photograph_ingest ON gallery.photograph (ingest_sha256);
CREATE INDEX photograph_arrest ON gallery.photograph (arrest_id);

REVOKE ALL ON FUNCTION gallery.note_login(), gallery.one_at_a_time(), gallery.check_orders() FROM PUBLIC;
RESET ROLE;
