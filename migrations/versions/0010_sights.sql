-- The viewer for supervisors and requesters, too; photographs leave Slack again.
SET ROLE leadgate_owner;

-- Why its holder is at the viewer: what a link opens is decided when it is made and cannot be changed.
ALTER TABLE casework.viewer_link ADD COLUMN sight text NOT NULL DEFAULT 'examination'
    CHECK (sight IN ('examination', 'decision', 'faces', 'lead', 'preparation'));
ALTER TABLE casework.viewer_link ALTER COLUMN sight DROP DEFAULT;
GRANT SELECT (sight) ON casework.viewer_link TO leadgate_auditor;
RESET ROLE;
