-- Roles, and the ledger: append-only, chained per stream, written through one function only.
-- The chain is kept by the database, so that no service can write an entry that does not follow the one before it.

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['leadgate_owner', 'leadgate_bot', 'leadgate_matcher', 'leadgate_auditor', 'leadgate_sealer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the whole server; another database was being migrated at the same time
END $$;

-- The owner creates schemas; in a database of its own, nobody else does.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO leadgate_owner', current_database()); END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA ledger AUTHORIZATION leadgate_owner;
GRANT USAGE ON SCHEMA ledger TO leadgate_bot, leadgate_matcher, leadgate_auditor, leadgate_sealer;
SET ROLE leadgate_owner;

CREATE SEQUENCE ledger.number; -- gaps are normal and evidence of nothing: a rolled-back transaction leaves one
CREATE TABLE ledger.entry (
    n bigint PRIMARY KEY,
    stream text NOT NULL CHECK (stream <> ''), -- 'search:<id>', 'gallery', 'people', 'oversight' …
    seq bigint NOT NULL CHECK (seq > 0),
    prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32), -- leaf hash of seq - 1; 32 zero bytes for the first
    entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 2 AND 1048576), -- JSON, exactly the hashed bytes
    leaf_hash bytea NOT NULL GENERATED ALWAYS AS (sha256('\x00'::bytea || entry)) STORED, -- RFC 6962
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    db_user name NOT NULL DEFAULT session_user,
    UNIQUE (stream, seq)
);
-- Waits for the sealer, which drains it into the tree.
CREATE TABLE ledger.unsealed (n bigint PRIMARY KEY REFERENCES ledger.entry);
CREATE TABLE ledger.leaf (
    leaf_index bigint PRIMARY KEY,
    n bigint NOT NULL UNIQUE REFERENCES ledger.entry,
    leaf_hash bytea NOT NULL
);
CREATE TABLE ledger.checkpoint (
    tree_size bigint PRIMARY KEY,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL, -- C2SP signed note
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- What entries only commit to: erasable without breaking a hash.
CREATE TABLE ledger.private (
    n bigint NOT NULL REFERENCES ledger.entry,
    field text NOT NULL,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    value bytea NOT NULL,
    PRIMARY KEY (n, field)
);

CREATE FUNCTION ledger.check_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before bytea;
    said jsonb := convert_from(NEW.entry, 'UTF8')::jsonb;
BEGIN
    IF said ->> 'stream' IS DISTINCT FROM NEW.stream OR (said ->> 'seq')::bigint IS DISTINCT FROM NEW.seq
        OR (said ->> 'n')::bigint IS DISTINCT FROM NEW.n OR said ->> 'prev' IS DISTINCT FROM encode(NEW.prev_hash, 'hex')
    THEN
        RAISE EXCEPTION 'ledger: the entry does not say what its columns say' USING ERRCODE = '23514';
    END IF;
    IF NEW.seq = 1 THEN
        before := decode(repeat('00', 32), 'hex');
    ELSE
        SELECT leaf_hash INTO before FROM ledger.entry WHERE stream = NEW.stream AND seq = NEW.seq - 1;
    END IF;
    IF before IS NULL OR before <> NEW.prev_hash THEN
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
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['entry', 'leaf', 'checkpoint'] LOOP
        EXECUTE format('CREATE TRIGGER deny_change BEFORE UPDATE OR DELETE ON ledger.%I FOR EACH ROW EXECUTE FUNCTION ledger.deny()', name);
        EXECUTE format('CREATE TRIGGER deny_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.deny()', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER deny_change, ENABLE ALWAYS TRIGGER deny_truncate', name);
    END LOOP;
END $$;

-- One entry more in the stream, in the caller's transaction. Each field of in_private is committed to in the entry as
-- SHA-256('leadgate-commit-v1' || 0x00 || salt || value) and kept, with its salt, where it can be erased.
CREATE FUNCTION ledger.append(
    in_stream text, in_kind text, in_at timestamptz, in_actor text, in_data jsonb, in_private jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number bigint;
    next_seq bigint;
    before bytea;
    committed jsonb := coalesce(in_data, '{}');
    salts jsonb := '{}';
    salt bytea;
    field text;
    value jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('leadgate ledger ' || in_stream, 0));
    SELECT held.seq + 1, held.leaf_hash INTO next_seq, before FROM ledger.entry AS held
        WHERE held.stream = in_stream ORDER BY held.seq DESC LIMIT 1;
    IF next_seq IS NULL THEN
        next_seq := 1;
        before := decode(repeat('00', 32), 'hex');
    END IF;
    number := nextval('ledger.number');
    FOR field, value IN SELECT * FROM jsonb_each(coalesce(in_private, '{}')) LOOP
        salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
        salts := salts || jsonb_build_object(field, encode(salt, 'hex'));
        committed := committed || jsonb_build_object(field, jsonb_build_object('sha256_salted', encode(
            sha256(convert_to('leadgate-commit-v1', 'UTF8') || '\x00'::bytea || salt || convert_to(value::text, 'UTF8')),
            'hex')));
    END LOOP;
    INSERT INTO ledger.entry (n, stream, seq, prev_hash, entry) VALUES (number, in_stream, next_seq, before, convert_to(
        jsonb_build_object(
            'v', 1, 'n', number, 'stream', in_stream, 'seq', next_seq, 'prev', encode(before, 'hex'), 'kind', in_kind,
            'at', to_char(in_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'actor', in_actor,
            'data', committed
        )::text, 'UTF8'));
    INSERT INTO ledger.private (n, field, salt, value)
        SELECT number, one.key, decode(salts ->> one.key, 'hex'), convert_to(one.value::text, 'UTF8')
        FROM jsonb_each(coalesce(in_private, '{}')) AS one;
    RETURN number;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO leadgate_bot, leadgate_matcher;
GRANT SELECT ON ledger.entry, ledger.leaf, ledger.checkpoint, ledger.unsealed TO leadgate_bot, leadgate_auditor, leadgate_sealer;
GRANT SELECT ON ledger.private TO leadgate_bot, leadgate_auditor;
GRANT INSERT ON ledger.leaf, ledger.checkpoint TO leadgate_sealer;
GRANT DELETE ON ledger.unsealed TO leadgate_sealer;
RESET ROLE;
