-- Known-answer cases, how often they are given, and what came of them.
SET ROLE leadgate_owner;

ALTER TABLE casework.search DROP CONSTRAINT search_outcome_check;
ALTER TABLE casework.search ADD CONSTRAINT search_outcome_check
    CHECK (outcome IN ('possible-match', 'no-possible-match', 'unsuitable', 'withdrawn', 'rejected', 'known-answer'));
ALTER TABLE casework.person ADD COLUMN unit text NOT NULL DEFAULT '';

-- In whose name known-answer cases go to the examiners: without a role or an account, so that nobody acts as it.
INSERT INTO casework.person (id, name, roles, active) VALUES ('known-answer', 'Known-answer cases', '{}', false);
ALTER TABLE casework.search ADD CONSTRAINT known_answer_is_no_search
    CHECK ((requested_by = 'known-answer') = (case_number = 'known-answer')
           AND (outcome IS NULL OR (requested_by = 'known-answer') = (outcome = 'known-answer')));
ALTER TABLE casework.account ADD CONSTRAINT nobody_is_the_known_answer CHECK (person <> 'known-answer');

-- A case is given once: an examiner who sees a face again may remember the answer.
CREATE TABLE casework.known_answer (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    sha256 text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    person text CHECK (person <> ''), -- of the gallery; null: nobody there
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
    sealed bytea NOT NULL,
    added_at timestamptz NOT NULL,
    drawn_for text UNIQUE -- the search after which it was drawn
);
CREATE INDEX known_answer_left ON casework.known_answer (id) WHERE drawn_for IS NULL;
-- How many in a hundred examinations; the latest holds, and every one stays.
CREATE TABLE casework.known_answer_rate (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    in_a_hundred real NOT NULL CHECK (in_a_hundred BETWEEN 0 AND 100),
    set_by text NOT NULL REFERENCES casework.person,
    set_at timestamptz NOT NULL
);
-- What one examiner's opinion on one case was; written once.
CREATE TABLE casework.known_answer_result (
    search text NOT NULL REFERENCES casework.search,
    examiner text NOT NULL REFERENCES casework.person,
    unit text NOT NULL,
    mated boolean NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('right', 'wrong-person', 'missed', 'inconclusive')),
    concluded_at timestamptz NOT NULL,
    PRIMARY KEY (search, examiner),
    FOREIGN KEY (search, examiner) REFERENCES casework.opinion (search, examiner),
    CONSTRAINT nobody_is_missed_who_is_not_there CHECK (mated OR verdict <> 'missed')
);
-- When an examiner first sat down to an examination.
CREATE TABLE casework.sitting (
    search text NOT NULL REFERENCES casework.search,
    examiner text NOT NULL,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (search, examiner)
);

GRANT SELECT, INSERT ON casework.known_answer, casework.known_answer_rate, casework.known_answer_result,
    casework.sitting TO leadgate_bot;
GRANT UPDATE (drawn_for) ON casework.known_answer TO leadgate_bot;
GRANT SELECT ON casework.known_answer_rate, casework.known_answer_result, casework.sitting TO leadgate_auditor;
GRANT SELECT (id, sha256, added_at, drawn_for) ON casework.known_answer TO leadgate_auditor;
RESET ROLE;
