-- Classes of photographs by name; those that are no arrest photographs are found without reading the others.
SET ROLE leadgate_owner;

ALTER TABLE gallery.photograph ADD CONSTRAINT names_a_class CHECK (legal_basis ~ '^[a-z][a-z0-9-]{0,39}$');
CREATE INDEX photograph_of_a_class ON gallery.photograph (number, legal_basis) WHERE legal_basis <> 'arrest';

RESET ROLE;
