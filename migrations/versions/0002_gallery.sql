-- The gallery of lawfully held arrest photographs: who is enrolled, on what legal basis. Written by the matcher's role.
-- Postgres is the truth; the index beside the matcher is built from it and can always be built again.

CREATE SCHEMA gallery AUTHORIZATION leadgate_owner;
GRANT USAGE ON SCHEMA gallery TO leadgate_matcher, leadgate_auditor;
SET ROLE leadgate_owner;

CREATE TABLE gallery.person (
    id text PRIMARY KEY CHECK (id <> ''),
    name text NOT NULL,
    sex text,
    birth_year integer CHECK (birth_year BETWEEN 1900 AND 2100),
    height_cm real CHECK (height_cm BETWEEN 40 AND 260),
    weight_kg real CHECK (weight_kg BETWEEN 2 AND 500),
    marks text
);
-- Several photographs handed over together. Where two people have to agree, none is searched before the second did.
CREATE TABLE gallery.batch (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    manifest_sha256 text NOT NULL CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    needs_approval boolean NOT NULL,
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL,
    approved_by text CHECK (approved_by <> ''),
    approved_at timestamptz,
    CONSTRAINT approved_by_another CHECK (approved_by <> made_by),
    CONSTRAINT approved_whole CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT one_batch_per_manifest UNIQUE (manifest_sha256, made_by)
);
CREATE TABLE gallery.photograph (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- its key in the index
    person text NOT NULL REFERENCES gallery.person,
    legal_basis text NOT NULL CHECK (legal_basis <> ''), -- M12: no row without one
    agency text NOT NULL CHECK (agency <> ''),
    arrest_id text NOT NULL CHECK (arrest_id <> ''),
    taken_on date NOT NULL,
    sealed boolean NOT NULL DEFAULT false,
    seal_order text CHECK (seal_order <> ''), -- the court's reference; kept with the row, erased with it
    juvenile boolean NOT NULL DEFAULT false,
    ingest_sha256 text NOT NULL CHECK (ingest_sha256 ~ '^[0-9a-f]{64}$'), -- of the file as it was handed over
    batch text REFERENCES gallery.batch,
    enrolled_by text NOT NULL,
    enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT once_per_person UNIQUE (person, ingest_sha256)
);
CREATE INDEX photograph_person ON gallery.photograph (person);
-- The picture as it may be shown: re-encoded, metadata dropped.
CREATE TABLE gallery.picture (
    photograph text PRIMARY KEY REFERENCES gallery.photograph ON DELETE CASCADE,
    jpeg bytea NOT NULL
);
CREATE TABLE gallery.embedding (
    photograph text NOT NULL REFERENCES gallery.photograph ON DELETE CASCADE,
    model_sha256 text NOT NULL CHECK (model_sha256 ~ '^[0-9a-f]{64}$'),
    vector bytea NOT NULL CHECK (octet_length(vector) % 4 = 0), -- float32, little endian, of length 1
    PRIMARY KEY (photograph, model_sha256)
);

CREATE INDEX photograph_batch ON gallery.photograph (batch);
-- What was expunged leaves nothing but the digest of the file: it is not enrolled again by mistake.
CREATE TABLE gallery.expunged (
    photograph text PRIMARY KEY CHECK (photograph ~ '^[0-9a-f]{32}$'),
    ingest_sha256 text NOT NULL CHECK (ingest_sha256 ~ '^[0-9a-f]{64}$'),
    court_order text NOT NULL CHECK (court_order <> ''),
    expunged_by text NOT NULL CHECK (expunged_by <> ''),
    expunged_at timestamptz NOT NULL
);
CREATE INDEX expunged_ingest ON gallery.expunged (ingest_sha256);

-- Which photographs changed, in the order in which the changes were committed: whoever serves the gallery reads on from
-- the last number it has seen. The lock makes that order hold; the ledger's own lock would make them wait anyway.
CREATE TABLE gallery.change (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigint NOT NULL -- the photograph's; it may be gone by now
);
CREATE FUNCTION gallery.changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    INSERT INTO gallery.change (number) VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.number ELSE NEW.number END);
    PERFORM pg_notify('leadgate_gallery', '');
    RETURN NULL;
END $$;
CREATE FUNCTION gallery.approved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0));
    INSERT INTO gallery.change (number) SELECT number FROM gallery.photograph WHERE batch = NEW.id ORDER BY number;
    PERFORM pg_notify('leadgate_gallery', '');
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON gallery.photograph
    FOR EACH ROW EXECUTE FUNCTION gallery.changed();
CREATE TRIGGER approved AFTER UPDATE ON gallery.batch
    FOR EACH ROW WHEN (OLD.approved_by IS NULL AND NEW.approved_by IS NOT NULL) EXECUTE FUNCTION gallery.approved();

-- What may be searched: the one definition (M12). Sealed, juvenile and not yet approved photographs are out of reach.
CREATE VIEW gallery.eligible AS
    SELECT photograph.id, photograph.number, photograph.person, photograph.legal_basis, photograph.agency,
        photograph.arrest_id, photograph.taken_on
    FROM gallery.photograph LEFT JOIN gallery.batch ON batch.id = photograph.batch
    WHERE NOT photograph.sealed AND NOT photograph.juvenile
        AND (batch.id IS NULL OR NOT batch.needs_approval OR batch.approved_by IS NOT NULL);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA gallery FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON gallery.person, gallery.photograph, gallery.picture, gallery.embedding
    TO leadgate_matcher;
GRANT SELECT, INSERT, UPDATE ON gallery.batch TO leadgate_matcher;
GRANT SELECT, INSERT ON gallery.expunged TO leadgate_matcher;
GRANT SELECT ON gallery.change, gallery.eligible TO leadgate_matcher;
GRANT SELECT ON gallery.person, gallery.photograph, gallery.batch, gallery.expunged, gallery.eligible
    TO leadgate_auditor;
RESET ROLE;
