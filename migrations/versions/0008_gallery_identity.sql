-- Which gallery this is: a snapshot on disk belongs to one gallery, and is never served for another.
SET ROLE leadgate_owner;

CREATE TABLE gallery.identity (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
INSERT INTO gallery.identity DEFAULT VALUES;
GRANT SELECT ON gallery.identity TO leadgate_matcher;
RESET ROLE;
