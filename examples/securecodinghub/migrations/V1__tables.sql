-- What belongs to an organisation has its id first in every key, so that all of it can live on one of several machines:
-- see distribute.sql. No sequences and no triggers, for these would be one for all machines.

-- What is known of the whole database. Small, and read more often than written.
CREATE TABLE sch_meta (
    key text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE sch_organisation (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    seats bigint CHECK (seats >= 0),
    profile text COLLATE "C" NOT NULL,
    linking text COLLATE "C" NOT NULL,
    deletion text COLLATE "C" NOT NULL,
    scim_enabled boolean NOT NULL,
    created timestamptz NOT NULL,
    extensions bigint NOT NULL DEFAULT 0
);

-- Whose a name is. The key is the name with its case folded, by the program, which does so as Unicode says.
CREATE TABLE sch_name (
    name_key text COLLATE "C" NOT NULL PRIMARY KEY,
    organisation text COLLATE "C" NOT NULL
);

-- Whose a token is. Rows are never changed: whether the token is still good stands in sch_token.
CREATE TABLE sch_digest (
    digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    organisation text COLLATE "C" NOT NULL
);

CREATE TABLE sch_token (
    organisation text COLLATE "C" NOT NULL REFERENCES sch_organisation (id),
    id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    label text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    created timestamptz NOT NULL,
    last_used timestamptz,
    revoked timestamptz,
    PRIMARY KEY (organisation, id),
    UNIQUE (organisation, digest)
);

CREATE TABLE sch_extension (
    organisation text COLLATE "C" NOT NULL REFERENCES sch_organisation (id),
    urn_key text COLLATE "C" NOT NULL,
    schema text COLLATE "C" NOT NULL,
    created timestamptz NOT NULL,
    changed timestamptz NOT NULL,
    removed timestamptz,
    PRIMARY KEY (organisation, urn_key)
);

CREATE TABLE sch_notice (
    organisation text COLLATE "C" NOT NULL REFERENCES sch_organisation (id),
    id text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    claimed timestamptz,
    PRIMARY KEY (organisation, id)
);

-- The organisations that have notices, so that nobody has to look into all of them. Almost always empty.
CREATE TABLE sch_waiting (
    organisation text COLLATE "C" NOT NULL PRIMARY KEY
);
