-- Each class of what is kept goes by itself: its private fields out of the ledger, its words out of the search.
SET ROLE leadgate_owner;

-- As ledger.erase, for some fields: each named as KIND.FIELD.
CREATE FUNCTION ledger.erase_fields(in_stream text, in_fields text[], in_at timestamptz, in_actor text, in_why text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate ledger ' || in_stream, 0));
    DELETE FROM ledger.private AS held USING ledger.entry
        WHERE entry.n = held.n AND entry.stream = in_stream AND entry.kind || '.' || held.field = ANY (in_fields);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        PERFORM ledger.append(in_stream, 'PrivateErased', in_at, in_actor,
            jsonb_build_object('fields', gone, 'of', to_jsonb(in_fields), 'why', in_why));
    END IF;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION ledger.erase_fields FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.erase_fields TO leadgate_bot;

CREATE OR REPLACE FUNCTION casework.purge(asked text, class text, before timestamptz) RETURNS TABLE (sha256 text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM casework.search WHERE id = asked FOR UPDATE;
    IF NOT EXISTS (SELECT FROM casework.over WHERE over.search = asked AND over.created < before) THEN
        RAISE EXCEPTION 'casework: search % is open, held or too young to be purged', asked USING ERRCODE = '23514';
    END IF;
    CASE class
        WHEN 'probe' THEN
            RETURN QUERY DELETE FROM casework.photo WHERE photo.search = asked AND photo.kind IN ('original', 'marked')
                RETURNING photo.sha256;
        WHEN 'working-copy' THEN
            RETURN QUERY DELETE FROM casework.photo WHERE photo.search = asked AND photo.kind = 'copy'
                RETURNING photo.sha256;
            RETURN QUERY DELETE FROM casework.prepared WHERE prepared.search = asked RETURNING prepared.sha256;
        WHEN 'request' THEN
            UPDATE casework.search SET case_number = 'purged', body = body || jsonb_build_object(
                'fields', '{}'::jsonb, 'case_number', 'purged', 'context', NULL, 'resolutions', '{}'::jsonb)
                WHERE id = asked;
        WHEN 'candidates' THEN
            UPDATE casework.search SET body = body || '{"candidates": []}' WHERE id = asked;
        WHEN 'opinions' THEN
            UPDATE casework.search SET body = body || jsonb_build_object('notes', '[]'::jsonb, 'examinations',
                (SELECT coalesce(jsonb_agg(one || '{"differences": ""}'), '[]')
                 FROM jsonb_array_elements(body -> 'examinations') AS one)) WHERE id = asked;
        WHEN 'lead' THEN
            UPDATE casework.search SET body = body || '{"corroboration": []}' WHERE id = asked;
        ELSE
            RAISE EXCEPTION 'casework: there is no class %', class USING ERRCODE = '23514';
    END CASE;
    IF NOT EXISTS (SELECT FROM casework.photo WHERE photo.search = asked)
        AND NOT EXISTS (SELECT FROM casework.prepared WHERE prepared.search = asked) THEN
        DELETE FROM casework.seal_key WHERE seal_key.search = asked;
    END IF;
END $$;
RESET ROLE;
