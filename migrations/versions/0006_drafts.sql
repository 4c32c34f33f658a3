-- Forms that were closed before they were sent: nothing a person typed is lost. Sealed like photographs.
SET ROLE leadgate_owner;

CREATE TABLE casework.draft (
    search text NOT NULL,
    person text NOT NULL,
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
    sealed bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (search, person)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON casework.draft TO leadgate_bot;
RESET ROLE;
