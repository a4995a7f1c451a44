-- The tables of the store. The tenant comes first in every key, so that no statement can walk into another tenant's rows and every table
-- can be distributed or partitioned by it. Texts are compared byte for byte, whatever the database's own order is: what is to be found
-- without regard to case was folded before it came here.
--
-- Foreign keys lead to scim_tenant from what a commit writes a row or two of. There are none from scim_key, scim_unique and scim_member:
-- each of their many rows would be looked up and locked by itself, a key's record goes only together with its keys, and to check that a
-- record is in no group any more would need an index for nothing else. The commit is the only writer and keeps them itself.

-- The last position of the tenant's log. Every commit locks this row first: that is the order of the tenant's commits,
-- and none follows one that closed the tenant but those that close or open it.
CREATE TABLE scim_tenant (
    tenant   text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    closed   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant)
);

-- How many records there are, for guards and for lists without a filter.
CREATE TABLE scim_count (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (tenant, type),
    CONSTRAINT scim_count_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant)
);

-- How many records have a key of a path: a sorted list needs to know whether there are some without.
CREATE TABLE scim_keyed (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    path   text COLLATE "C" NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (tenant, type, path)
);

-- `created` and `modified` are nanoseconds since 1970 in UTC; `document` has neither `id` nor `meta`, which are stamped on it when it is
-- read. `members` is the number of its rows in scim_member. `keys` are the record's rows in scim_key, scim_unique and scim_global as JSON,
-- [[scope, path, value], …]: a replacement that changes no key is then one row, and scim_key needs no second index by id.
CREATE TABLE scim_record (
    tenant   text COLLATE "C" NOT NULL,
    type     text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    created  bigint NOT NULL,
    modified bigint NOT NULL,
    members  bigint NOT NULL,
    display  text COLLATE "C",
    keys     text COLLATE "C" NOT NULL,
    notes    text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id),
    CONSTRAINT scim_record_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant)
);

CREATE INDEX scim_record_of_type ON scim_record (tenant, type, id);
CREATE INDEX scim_record_by_time ON scim_record (tenant, type, modified, id);

-- Every key of every record. `path` names the attribute.
CREATE TABLE scim_key (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    path   text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, path, value, id)
);

-- The keys that may stand once only among the records of one type of one tenant.
CREATE TABLE scim_unique (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    path   text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, path, value)
);

-- The keys that may stand once only over all tenants. Whose one is, is asked before a tenant is known; so the value comes first here, and
-- the tenant is the answer.
CREATE TABLE scim_global (
    value  text COLLATE "C" NOT NULL,
    path   text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (value, path)
);

CREATE TABLE scim_member (
    tenant      text COLLATE "C" NOT NULL,
    group_id    text COLLATE "C" NOT NULL,
    member_id   text COLLATE "C" NOT NULL,
    member_type text COLLATE "C" NOT NULL,
    display     text COLLATE "C",
    PRIMARY KEY (tenant, group_id, member_id)
);

CREATE INDEX scim_member_up ON scim_member (tenant, member_id, group_id);

-- `attempt` is drawn anew whenever a commit is tried: by it a commit whose answer was lost is found again. Empty for what was taken in
-- from elsewhere.
CREATE TABLE scim_log (
    tenant   text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    hash     bytea NOT NULL,
    attempt  bytea NOT NULL,
    event    text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, position),
    CONSTRAINT scim_log_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant)
);

CREATE TABLE scim_fact (
    tenant text COLLATE "C" NOT NULL,
    name   text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, name),
    CONSTRAINT scim_fact_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant)
);
