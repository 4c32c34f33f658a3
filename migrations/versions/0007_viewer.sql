-- The viewer: links that open once, and the morphological checklist.
SET ROLE leadgate_owner;

-- Neither the link nor the session that it opens is stored: only their SHA-256.
CREATE TABLE casework.viewer_link (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    search text NOT NULL REFERENCES casework.search,
    examiner text NOT NULL REFERENCES casework.person,
    team text NOT NULL,
    account text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    session_sha256 bytea UNIQUE CHECK (octet_length(session_sha256) = 32),
    session_until timestamptz,
    CONSTRAINT five_minutes CHECK (expires_at > made_at AND expires_at <= made_at + interval '5 minutes'),
    CONSTRAINT used_in_time CHECK (used_at < expires_at),
    CONSTRAINT session_when_used CHECK (num_nulls(used_at, session_sha256, session_until) IN (0, 3)),
    CONSTRAINT fifteen_minutes CHECK (session_until <= used_at + interval '15 minutes')
);
CREATE FUNCTION casework.viewer_link_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NOT NULL THEN
        RAISE EXCEPTION 'viewer: this link was used before' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER viewer_link_once BEFORE UPDATE ON casework.viewer_link
    FOR EACH ROW EXECUTE FUNCTION casework.viewer_link_once();

-- ASTM E3149's components, top to bottom; what one examiner found of one candidate.
CREATE TABLE casework.checklist (
    search text NOT NULL REFERENCES casework.search,
    examiner text NOT NULL REFERENCES casework.person,
    candidate text NOT NULL CHECK (candidate <> ''),
    component text NOT NULL CHECK (component IN (
        'skin', 'outline', 'proportion', 'hairline', 'forehead', 'eyebrows', 'eyes', 'cheeks', 'nose', 'ears', 'mouth',
        'chin', 'neck', 'facial-hair', 'lines', 'scars', 'marks', 'alterations')),
    finding text NOT NULL CHECK (finding IN ('similar', 'different', 'explainable', 'not-comparable')),
    note text NOT NULL CHECK (length(note) <= 500),
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (search, examiner, candidate, component)
);

GRANT SELECT, INSERT ON casework.viewer_link TO leadgate_bot;
GRANT UPDATE (used_at, session_sha256, session_until) ON casework.viewer_link TO leadgate_bot;
GRANT SELECT, INSERT, UPDATE ON casework.checklist TO leadgate_bot;
GRANT SELECT ON casework.checklist TO leadgate_auditor;
GRANT SELECT (search, examiner, made_at, expires_at, used_at, session_until) ON casework.viewer_link TO leadgate_auditor;
RESET ROLE;
