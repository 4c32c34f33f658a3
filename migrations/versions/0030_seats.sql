-- Whom a supervisor asked stays asked; nobody was drawn for what was opened before.
SET ROLE leadgate_owner;
UPDATE casework.search SET body = (body - 'handed_to') || jsonb_build_object(
        'asked', jsonb_build_array(body -> 'handed_to'), 'handed', jsonb_build_array(body -> 'handed_to'))
    WHERE jsonb_typeof(body -> 'handed_to') = 'string';

-- Hashes alone: what is handed out stands nowhere else than where it is kept anyway.
CREATE TABLE casework.given_out (
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    search text NOT NULL,
    label text NOT NULL,
    given_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sha256, search, label)
);
GRANT SELECT, INSERT ON casework.given_out TO leadgate_bot;
RESET ROLE;
