-- The digests of what was handed out are a class of their own, which goes when the last of the others has.
SET ROLE leadgate_owner;
CREATE INDEX given_out_search ON casework.given_out (search);

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
        WHEN 'handed-out' THEN
            DELETE FROM casework.given_out WHERE given_out.search = asked;
        ELSE
            RAISE EXCEPTION 'casework: there is no class %', class USING ERRCODE = '23514';
    END CASE;
    IF NOT EXISTS (SELECT FROM casework.photo WHERE photo.search = asked)
        AND NOT EXISTS (SELECT FROM casework.prepared WHERE prepared.search = asked) THEN
        DELETE FROM casework.seal_key WHERE seal_key.search = asked;
    END IF;
END $$;
RESET ROLE;
