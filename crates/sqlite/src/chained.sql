-- The log with its hashes. Made anew and not altered, so that there is no default: a process of the version before, which knows no
-- hashes, fails to write instead of breaking the chain.
CREATE TABLE scim_log_chained (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    event    TEXT    NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;
