-- In the ledger these names are no person, so nobody on the roster bears them; and an account is named.
SET ROLE leadgate_owner;

-- NOT VALID: what stands on a roster already does not keep a new release from starting; its roles can be taken away.
ALTER TABLE casework.person ADD CONSTRAINT nobody_bears_a_reserved_name
    CHECK (id NOT IN ('system', 'operator', 'slack', 'known-answer') OR (roles = '{}' AND NOT active)) NOT VALID;
ALTER TABLE casework.account
    ADD CONSTRAINT an_account_is_named CHECK (team ~ '^[A-Z]' AND account ~ '^[A-Z]') NOT VALID;
RESET ROLE;
