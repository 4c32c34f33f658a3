-- The first outcome is number 1; the one that can follow it says that the case was closed on another person.
SET ROLE leadgate_owner;

ALTER TABLE casework.aftermath
    ADD COLUMN n integer NOT NULL DEFAULT 1 CHECK (n IN (1, 2)),
    DROP CONSTRAINT aftermath_pkey,
    ADD PRIMARY KEY (search, n),
    ADD CONSTRAINT aftermath_once UNIQUE (search, outcome),
    ADD CONSTRAINT only_another_person_is_added CHECK (n = 1 OR outcome = 'another-person');
RESET ROLE;
