-- The tables of the store. The tenant comes first in every key, so that no statement can walk into another tenant's
-- rows, and every text is compared byte for byte: what is to be found without regard to case was folded before it came
-- here.

CREATE TABLE scim_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last position of the tenant's log. Every commit writes this row first.
CREATE TABLE scim_tenant (
    tenant   TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How many records there are, for guards and for lists without a filter.
CREATE TABLE scim_count (
    tenant TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (tenant, type)
) STRICT, WITHOUT ROWID;

-- `created` and `modified` are nanoseconds since 1970 in UTC; `document` has neither `id` nor `meta`, which are stamped
-- on it when it is read. `members` is the number of its rows in scim_member. `keys` are the record's rows in scim_key
-- and scim_unique as JSON, [[scope, path, value], …]: a replacement that changes no key is then one row, and scim_key
-- needs no second index by id. The large columns stand last, where they do not hinder reading the small ones.
CREATE TABLE scim_record (
    tenant   TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    members  INTEGER NOT NULL,
    display  TEXT,
    keys     TEXT    NOT NULL,
    notes    TEXT    NOT NULL,
    document TEXT    NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

CREATE INDEX scim_record_of_type ON scim_record (tenant, type, id);
CREATE INDEX scim_record_by_time ON scim_record (tenant, type, modified, id);

-- Every key of every record. `path` names the attribute.
CREATE TABLE scim_key (
    tenant TEXT NOT NULL,
    type   TEXT NOT NULL,
    path   TEXT NOT NULL,
    value  TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, type, path, value, id)
) STRICT, WITHOUT ROWID;

-- The keys that may stand once only. `scope` is the tenant among whose records of that type the key is unique; it is
-- empty, and so is `type`, for a key that is unique over everything.
CREATE TABLE scim_unique (
    scope  TEXT NOT NULL,
    type   TEXT NOT NULL,
    path   TEXT NOT NULL,
    value  TEXT NOT NULL,
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (scope, type, path, value)
) STRICT, WITHOUT ROWID;

-- Without foreign keys: to check one when a record goes, SQLite would walk through all members of the tenant, for it
-- has no statistics and takes a tenant for ten rows. For the same reason statements name their index where there is a
-- choice.
CREATE TABLE scim_member (
    tenant      TEXT NOT NULL,
    group_id    TEXT NOT NULL,
    member_id   TEXT NOT NULL,
    member_type TEXT NOT NULL,
    display     TEXT,
    PRIMARY KEY (tenant, group_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX scim_member_up ON scim_member (tenant, member_id, group_id);

CREATE TABLE scim_log (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    event    TEXT    NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE scim_fact (
    tenant TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
