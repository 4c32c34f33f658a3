-- Whom each examiner was shown: the second wall behind OpenExamination.
SET ROLE leadgate_owner;

ALTER TABLE casework.pack ADD COLUMN foils integer CHECK (foils BETWEEN 3 AND 50);  -- NULL: everybody sees everyone
ALTER TABLE casework.opinion ADD COLUMN shown text[];

-- NULL: the opinion is on every candidate of its search.
CREATE FUNCTION casework.opinion_shown() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    everybody text[];
    foils integer;
    earlier casework.opinion;
BEGIN
    SELECT pack.foils, (SELECT array_agg(one ->> 'label') FROM jsonb_array_elements(search.body -> 'candidates') AS one)
        INTO foils, everybody FROM casework.search JOIN casework.pack ON pack.id = search.pack
        WHERE search.id = NEW.search;
    IF NEW.shown IS NULL OR (NEW.shown @> everybody AND NEW.shown <@ everybody) THEN
        RETURN NULL;
    END IF;
    IF NOT NEW.shown <@ everybody OR cardinality(NEW.shown) IS DISTINCT FROM foils THEN
        PERFORM casework.refuse('shown_as_the_pack_says', 'every candidate is compared, or as many as the pack shows');
    END IF;
    IF NEW.candidate IS NOT NULL AND NOT NEW.candidate = ANY (NEW.shown) THEN
        PERFORM casework.refuse('names_shown', 'nobody is named who was not shown');
    END IF;
    SELECT * INTO earlier FROM casework.opinion WHERE search = NEW.search AND examiner <> NEW.examiner
        ORDER BY concluded_at LIMIT 1;
    IF earlier.search IS NULL THEN
        PERFORM casework.refuse('first_compares_all', 'whoever examines first compares every candidate');
    END IF;
    IF earlier.candidate IS NOT NULL AND NOT earlier.candidate = ANY (NEW.shown) THEN
        PERFORM casework.refuse('shows_the_pick', 'the pick of the first opinion is among those shown');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER opinion_shown AFTER INSERT ON casework.opinion DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION casework.opinion_shown();
RESET ROLE;
