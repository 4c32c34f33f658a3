-- Prepared copies: sealed like every photograph, by their hash, never changed or deleted by the bot.
SET ROLE leadgate_owner;

CREATE TABLE casework.prepared (
    search text NOT NULL REFERENCES casework.search,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (search, sha256)
);
GRANT SELECT, INSERT ON casework.prepared TO leadgate_bot;
RESET ROLE;
