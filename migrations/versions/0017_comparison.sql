-- The morphological comparison belongs to the opinion: written once with it, and required where the pack asks for it.
SET ROLE leadgate_owner;

ALTER TABLE casework.pack ADD COLUMN checklist boolean NOT NULL DEFAULT true;
ALTER TABLE casework.opinion ADD COLUMN components jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(components) = 'object');

CREATE FUNCTION casework.opinion_compared() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    needed boolean;
    compared integer;
BEGIN
    SELECT pack.checklist INTO needed FROM casework.search JOIN casework.pack ON pack.id = search.pack
        WHERE search.id = NEW.search;
    SELECT count(*) INTO compared FROM jsonb_each_text(NEW.components)
        WHERE key = ANY (ARRAY['skin', 'outline', 'proportion', 'hairline', 'forehead', 'eyebrows', 'eyes', 'cheeks',
            'nose', 'ears', 'mouth', 'chin', 'neck', 'facial-hair', 'lines', 'scars', 'marks', 'alterations'])
        AND value = ANY (ARRAY['similar', 'different', 'explainable', 'not-comparable']);
    IF NEW.candidate IS NOT NULL AND coalesce(needed, true) AND compared < 18 THEN
        PERFORM casework.refuse('compares_components', format('%s of 18 components compared', compared));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER opinion_compared AFTER INSERT ON casework.opinion DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.opinion_compared();
RESET ROLE;
