-- Roles, and the ledger: append-only, chained per stream, written through one function only.
-- The chain is kept by the database, so that no service can write an entry that does not follow the one before it.
-- After RFC 6962 (hashes of leaves and nodes) and C2SP tlog-checkpoint (what the sealer signs).

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['leadgate_owner', 'leadgate_bot', 'leadgate_matcher', 'leadgate_auditor', 'leadgate_sealer'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- roles belong to the whole server; another database was being migrated at the same time
        END;
    END LOOP;
END $$;

DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO leadgate_owner', current_database()); END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- as every Postgres from 15 on has it in a new database
GRANT SELECT ON public.leadgate_revision TO PUBLIC;

CREATE SCHEMA ledger AUTHORIZATION leadgate_owner;
GRANT USAGE ON SCHEMA ledger TO leadgate_bot, leadgate_matcher, leadgate_auditor, leadgate_sealer;
SET ROLE leadgate_owner;

CREATE SEQUENCE ledger.number; -- gaps are normal and evidence of nothing: a rolled-back transaction leaves one
CREATE TABLE ledger.entry (
    n bigint PRIMARY KEY,
    stream text NOT NULL, -- 'search:<id>', 'gallery', 'people', 'oversight' …
    seq bigint NOT NULL CHECK (seq > 0),
    prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32), -- leaf hash of seq - 1; 32 zero bytes for the first
    kind text NOT NULL,
    entry bytea NOT NULL, -- JSON, exactly the hashed bytes
    leaf_hash bytea NOT NULL GENERATED ALWAYS AS (sha256('\x00'::bytea || entry)) STORED, -- RFC 6962, 2.1
    recorded_at timestamptz NOT NULL,
    UNIQUE (stream, seq),
    CONSTRAINT stream_has_a_name CHECK (stream ~ '^[a-z][a-z0-9_-]*(:[A-Za-z0-9._-]+)?$'),
    -- an entry's length is 16 bits in C2SP tlog-tiles
    CONSTRAINT entry_fits_a_bundle CHECK (octet_length(entry) BETWEEN 2 AND 65535)
);
-- Waits for the sealer, which drains it into the tree.
CREATE TABLE ledger.unsealed (n bigint PRIMARY KEY REFERENCES ledger.entry);
CREATE TABLE ledger.leaf (
    leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
    n bigint NOT NULL UNIQUE REFERENCES ledger.entry,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32)
);
CREATE TABLE ledger.checkpoint (
    tree_size bigint PRIMARY KEY CHECK (tree_size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL, -- C2SP signed note
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- What entries only commit to: erasable without breaking a hash.
CREATE TABLE ledger.private (
    n bigint NOT NULL REFERENCES ledger.entry,
    field text NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    value bytea NOT NULL, -- JSON, exactly the committed bytes
    PRIMARY KEY (n, field)
);

-- The columns of an entry say what its bytes say, and it follows its predecessor: for whoever inserts, the owner too.
CREATE FUNCTION ledger.check_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before bytea := decode(repeat('00', 32), 'hex');
    said jsonb := convert_from(NEW.entry, 'UTF8')::jsonb;
BEGIN
    IF said ->> 'stream' IS DISTINCT FROM NEW.stream OR (said ->> 'seq')::bigint IS DISTINCT FROM NEW.seq
        OR (said ->> 'n')::bigint IS DISTINCT FROM NEW.n OR said ->> 'prev' IS DISTINCT FROM encode(NEW.prev_hash, 'hex')
        OR said ->> 'kind' IS DISTINCT FROM NEW.kind
        OR (said ->> 'recorded_at')::timestamptz IS DISTINCT FROM NEW.recorded_at
    THEN
        RAISE EXCEPTION 'ledger: the entry does not say what its columns say' USING ERRCODE = '23514';
    END IF;
    IF NEW.seq > 1 THEN
        SELECT held.leaf_hash INTO before FROM ledger.entry AS held
            WHERE held.stream = NEW.stream AND held.seq = NEW.seq - 1;
    END IF;
    IF before IS DISTINCT FROM NEW.prev_hash THEN
        RAISE EXCEPTION 'ledger: % #% does not follow its predecessor', NEW.stream, NEW.seq USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger.await_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.unsealed (n) VALUES (NEW.n);
    RETURN NULL;
END $$;

CREATE FUNCTION ledger.deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % on %.% is forbidden', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;

CREATE TRIGGER a_chain BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.check_chain();
CREATE TRIGGER b_await_seal AFTER INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.await_seal();
-- ALWAYS: they fire even under session_replication_role = replica.
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER a_chain, ENABLE ALWAYS TRIGGER b_await_seal;
DO $$
DECLARE
    name text;
    denied text;
BEGIN
    FOREACH name IN ARRAY ARRAY['entry', 'leaf', 'checkpoint', 'private', 'unsealed'] LOOP
        -- what is private may be erased, what waits for the seal is sealed; all else stays
        denied := CASE WHEN name IN ('private', 'unsealed') THEN 'UPDATE' ELSE 'UPDATE OR DELETE' END;
        EXECUTE format('CREATE TRIGGER deny_change BEFORE %s ON ledger.%I FOR EACH ROW EXECUTE FUNCTION ledger.deny()', denied, name);
        EXECUTE format('CREATE TRIGGER deny_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.deny()', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER deny_change, ENABLE ALWAYS TRIGGER deny_truncate', name);
    END LOOP;
END $$;

CREATE FUNCTION ledger.moment(at timestamptz) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- 244 bits of the server's own randomness.
CREATE FUNCTION ledger.salt() RETURNS bytea LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE FUNCTION ledger.commitment(salt bytea, value bytea) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN encode(sha256('\x6c656164676174652d636f6d6d69742d763100'::bytea || salt || value), 'hex'); -- leadgate-commit-v1, 0x00

-- One entry more in the stream, in the caller's transaction: its number. Streams do not wait for each other.
-- Each field of in_private is committed to in the entry, and kept with its salt where it can be erased.
CREATE FUNCTION ledger.append(
    in_stream text, in_kind text, in_at timestamptz, in_actor text, in_data jsonb, in_private jsonb DEFAULT '{}'
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number bigint;
    next_seq bigint;
    before bytea;
    instant timestamptz;
    fields text[];
    salts bytea[];
    opened bytea[];
    committed jsonb;
BEGIN
    IF num_nulls(in_stream, in_kind, in_at, in_actor) > 0 THEN
        RAISE EXCEPTION 'ledger: an entry has a stream, a kind, a time and an actor' USING ERRCODE = '22004';
    END IF;
    -- The matcher testifies to its gallery; what happens to a search is not its to say.
    IF in_stream !~ '^(gallery|matcher)(:|$)' AND NOT pg_has_role(session_user, 'leadgate_bot', 'MEMBER') THEN
        RAISE EXCEPTION 'ledger: % may not write to %', session_user, in_stream USING ERRCODE = '42501';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate ledger ' || in_stream, 0));
    SELECT held.seq + 1, held.leaf_hash INTO next_seq, before FROM ledger.entry AS held
        WHERE held.stream = in_stream ORDER BY held.seq DESC LIMIT 1;
    number := nextval('ledger.number');
    next_seq := coalesce(next_seq, 1);
    before := coalesce(before, decode(repeat('00', 32), 'hex'));
    instant := clock_timestamp();
    WITH salted AS MATERIALIZED (
        SELECT one.key, ledger.salt() AS salt, convert_to(one.value::text, 'UTF8') AS value
        FROM jsonb_each(coalesce(in_private, '{}')) AS one
    )
    SELECT array_agg(key), array_agg(salt), array_agg(value),
        coalesce(jsonb_object_agg(key, ledger.commitment(salt, value)), '{}')
        INTO fields, salts, opened, committed FROM salted;
    INSERT INTO ledger.entry (n, stream, seq, prev_hash, kind, recorded_at, entry) VALUES (
        number, in_stream, next_seq, before, in_kind, instant, convert_to(format(
            '{"v":1,"n":%s,"stream":%s,"seq":%s,"prev":"%s","kind":%s,"at":"%s","actor":%s,'
            '"recorded_at":"%s","db_user":%s,"data":%s,"private":%s}',
            number, to_json(in_stream), next_seq, encode(before, 'hex'), to_json(in_kind), ledger.moment(in_at),
            to_json(in_actor), ledger.moment(instant), to_json(session_user::text), coalesce(in_data, '{}'), committed
        ), 'UTF8'));
    INSERT INTO ledger.private (n, field, salt, value)
        SELECT number, one.field, one.salt, one.value FROM unnest(fields, salts, opened) AS one (field, salt, value);
    RETURN number;
END $$;

-- What the stream's entries only commit to is gone; the ledger says that it was erased, and every hash still holds.
CREATE FUNCTION ledger.erase(in_stream text, in_at timestamptz, in_actor text, in_why text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE gone bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate ledger ' || in_stream, 0));
    DELETE FROM ledger.private AS held USING ledger.entry
        WHERE entry.n = held.n AND entry.stream = in_stream;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        PERFORM ledger.append(in_stream, 'PrivateErased', in_at, in_actor,
            jsonb_build_object('fields', gone, 'why', in_why));
    END IF;
    RETURN gone;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO leadgate_bot, leadgate_matcher;
GRANT EXECUTE ON FUNCTION ledger.erase TO leadgate_bot;
GRANT EXECUTE ON FUNCTION ledger.commitment TO leadgate_bot, leadgate_auditor;
GRANT SELECT ON ledger.entry, ledger.leaf, ledger.checkpoint, ledger.unsealed TO leadgate_bot, leadgate_auditor, leadgate_sealer;
GRANT SELECT ON ledger.private TO leadgate_bot, leadgate_auditor;
GRANT INSERT ON ledger.leaf, ledger.checkpoint TO leadgate_sealer;
GRANT DELETE ON ledger.unsealed TO leadgate_sealer;
RESET ROLE;
