-- Whether users are active has an index from version 3 on. A filter relies on keys, so those who were written before get theirs; a
-- process of the version before cannot write any more. That a key without an index does no harm lets this not ask for the catalog.
INSERT INTO scim_key (tenant, type, path, value, id)
    SELECT tenant, type, 'active', json_type(document, '$.active'), id FROM scim_record
    WHERE type = 'User' AND json_type(document, '$.active') IN ('true', 'false')
    ON CONFLICT DO NOTHING;

UPDATE scim_record SET keys = json_insert(keys, '$[#]', json_array(0, 'active', json_type(document, '$.active')))
    WHERE type = 'User' AND json_type(document, '$.active') IN ('true', 'false') AND instr(keys, ',"active",') = 0;
