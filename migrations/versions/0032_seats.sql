-- Whom a supervisor asked stays asked; nobody was drawn for what was opened before.
SET ROLE leadgate_owner;
UPDATE casework.search SET body = (body - 'handed_to') || jsonb_build_object(
        'asked', jsonb_build_array(body -> 'handed_to'), 'handed', jsonb_build_array(body -> 'handed_to'))
    WHERE jsonb_typeof(body -> 'handed_to') = 'string';
RESET ROLE;
