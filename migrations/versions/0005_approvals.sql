-- Approvals: further states, a further outcome, a further role, and who approved.
SET ROLE leadgate_owner;

ALTER TABLE casework.search DROP CONSTRAINT search_state_check;
ALTER TABLE casework.search ADD CONSTRAINT search_state_check
    CHECK (state IN ('held', 'requested', 'face-needed', 'quality-held', 'assessed', 'searched', 'in-review', 'disagreed',
                     'agreed', 'lead', 'closed'));
ALTER TABLE casework.search DROP CONSTRAINT search_outcome_check;
ALTER TABLE casework.search ADD CONSTRAINT search_outcome_check
    CHECK (outcome IN ('possible-match', 'no-possible-match', 'unsuitable', 'withdrawn', 'rejected'));
ALTER TABLE casework.person DROP CONSTRAINT person_roles_check;
ALTER TABLE casework.person ADD CONSTRAINT person_roles_check
    CHECK (roles <@ ARRAY['requester', 'examiner', 'supervisor', 'executive', 'auditor']);

-- Written once, like opinions: no role may update or delete them.
CREATE TABLE casework.approval (
    search text NOT NULL,
    requested_by text NOT NULL,
    approver text NOT NULL REFERENCES casework.person,
    approved_at timestamptz NOT NULL,
    PRIMARY KEY (search, approver),
    FOREIGN KEY (search, requested_by) REFERENCES casework.search (id, requested_by),
    CONSTRAINT approves_not_own CHECK (approver <> requested_by)
);
GRANT SELECT, INSERT ON casework.approval TO leadgate_bot;
GRANT SELECT ON casework.approval TO leadgate_auditor;
RESET ROLE;
