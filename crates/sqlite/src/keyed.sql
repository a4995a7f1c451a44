-- How many records have a key of a path: a sorted list needs to know whether there are some without. Kept by triggers, so
-- that a process which does not know of it keeps it too.
CREATE TABLE scim_keyed (
    tenant TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    path   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (tenant, type, path)
) STRICT, WITHOUT ROWID;

INSERT INTO scim_keyed SELECT tenant, type, path, count(*) FROM scim_key GROUP BY tenant, type, path;

CREATE TRIGGER scim_key_comes AFTER INSERT ON scim_key BEGIN
    INSERT INTO scim_keyed (tenant, type, path, count) VALUES (new.tenant, new.type, new.path, 1)
        ON CONFLICT (tenant, type, path) DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER scim_key_goes AFTER DELETE ON scim_key BEGIN
    UPDATE scim_keyed SET count = count - 1 WHERE tenant = old.tenant AND type = old.type AND path = old.path;
END;
