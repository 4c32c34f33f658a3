-- The bot's side: searches at rest, the durable queue, people, photographs. Written by the bot's role only.
-- The constraints repeat the rules that policy/ decides, so that code that goes around the door is refused all the same.

CREATE SCHEMA casework AUTHORIZATION leadgate_owner;
GRANT USAGE ON SCHEMA casework TO leadgate_bot, leadgate_auditor;
SET ROLE leadgate_owner;

-- Packs that searches were requested under; never changed, so that a search lives and dies under its own (M44).
CREATE TABLE casework.pack (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]+@[0-9]+\.[0-9]+\.[0-9]+$'),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    text text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE casework.purpose (
    pack text NOT NULL REFERENCES casework.pack,
    code text NOT NULL,
    PRIMARY KEY (pack, code)
);

CREATE TABLE casework.person (
    id text PRIMARY KEY CHECK (id <> ''),
    name text NOT NULL,
    roles text[] NOT NULL CHECK (roles <@ ARRAY['requester', 'examiner', 'supervisor', 'auditor']),
    certified_until timestamptz,
    active boolean NOT NULL DEFAULT true
);
-- One Slack account is one person or nobody.
CREATE TABLE casework.account (
    team text NOT NULL,
    account text NOT NULL,
    person text NOT NULL REFERENCES casework.person,
    PRIMARY KEY (team, account)
);

CREATE TABLE casework.search (
    id text PRIMARY KEY CHECK (id ~ '^LG-[0-9A-Z]{12}$'),
    version integer NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (state IN ('requested', 'face-needed', 'assessed', 'searched', 'in-review', 'disagreed',
                                         'agreed', 'lead', 'closed')),
    pack text NOT NULL,
    purpose text NOT NULL,
    case_number text NOT NULL CHECK (case_number <> ''),
    requested_by text NOT NULL REFERENCES casework.person,
    requested_at timestamptz NOT NULL,
    outcome text CHECK (outcome IN ('possible-match', 'no-possible-match', 'unsuitable', 'withdrawn')),
    body jsonb NOT NULL,
    CONSTRAINT authorised_purpose FOREIGN KEY (pack, purpose) REFERENCES casework.purpose,
    CONSTRAINT outcome_when_over CHECK ((outcome IS NOT NULL) = (state IN ('lead', 'closed'))),
    CONSTRAINT lead_is_a_possible_match CHECK ((state = 'lead') = (outcome IS NOT DISTINCT FROM 'possible-match')),
    UNIQUE (id, requested_by)
);
CREATE INDEX search_requested_at ON casework.search (requested_at);
CREATE INDEX search_open ON casework.search (state) WHERE outcome IS NULL;

-- Opinions are written once: no role may update or delete them.
CREATE TABLE casework.opinion (
    search text NOT NULL,
    requested_by text NOT NULL,
    examiner text NOT NULL REFERENCES casework.person,
    conclusion text NOT NULL CHECK (conclusion IN ('possible-match', 'inconclusive', 'no-possible-match')),
    candidate text,
    concluded_at timestamptz NOT NULL,
    PRIMARY KEY (search, examiner),
    UNIQUE (search, examiner, candidate),
    FOREIGN KEY (search, requested_by) REFERENCES casework.search (id, requested_by),
    CONSTRAINT reviews_not_own CHECK (examiner <> requested_by),
    CONSTRAINT names_candidate CHECK ((conclusion = 'possible-match') = (candidate IS NOT NULL))
);
-- A lead points at two locked opinions of two people who name the same candidate.
CREATE TABLE casework.lead (
    search text PRIMARY KEY REFERENCES casework.search,
    candidate text NOT NULL,
    first_examiner text NOT NULL,
    second_examiner text NOT NULL,
    supervisor text REFERENCES casework.person,
    issued_at timestamptz NOT NULL,
    FOREIGN KEY (search, first_examiner, candidate) REFERENCES casework.opinion (search, examiner, candidate),
    FOREIGN KEY (search, second_examiner, candidate) REFERENCES casework.opinion (search, examiner, candidate),
    CONSTRAINT two_examiners CHECK (first_examiner <> second_examiner),
    CONSTRAINT decides_not_own CHECK (supervisor IS NULL OR supervisor NOT IN (first_examiner, second_examiner))
);

-- The durable queue: a leased table. Enqueued and completed inside the caller's transaction.
CREATE TABLE casework.job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead')),
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL DEFAULT 8 CHECK (max_attempts > 0),
    lease_until timestamptz,
    lease_token uuid,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT once UNIQUE (kind, key),
    CONSTRAINT leased_while_running CHECK ((state = 'running') = (lease_token IS NOT NULL))
);
CREATE INDEX job_ready ON casework.job (run_at, id) WHERE state = 'ready';
CREATE INDEX job_leased ON casework.job (lease_until) WHERE state = 'running';
CREATE INDEX job_dead ON casework.job (finished_at) WHERE state = 'dead';
CREATE FUNCTION casework.job_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('leadgate_job', ''); RETURN NULL; END $$;
CREATE TRIGGER job_notify AFTER INSERT ON casework.job FOR EACH STATEMENT EXECUTE FUNCTION casework.job_notify();

-- What was put into Slack, by the opaque key it carries: looked up before anything is put there again.
CREATE TABLE casework.post (
    key text PRIMARY KEY,
    channel text NOT NULL,
    ts text NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE casework.upload (
    search text NOT NULL,
    label text NOT NULL,
    file text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (search, label)
);

-- A search's own key, wrapped; destroying it shreds every photograph of the search.
CREATE TABLE casework.seal_key (
    search text PRIMARY KEY,
    wrapped bytea NOT NULL
);
CREATE TABLE casework.photo (
    search text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('original', 'copy', 'marked')),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
    sealed bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (search, kind)
);

GRANT SELECT, INSERT ON casework.pack, casework.purpose, casework.opinion, casework.lead, casework.post, casework.upload,
    casework.seal_key, casework.photo TO leadgate_bot;
GRANT SELECT, INSERT, UPDATE ON casework.person, casework.account, casework.search, casework.job TO leadgate_bot;
GRANT DELETE ON casework.account, casework.upload TO leadgate_bot;
GRANT SELECT ON casework.pack, casework.purpose, casework.person, casework.account, casework.search, casework.opinion,
    casework.lead, casework.job, casework.post TO leadgate_auditor;
RESET ROLE;
