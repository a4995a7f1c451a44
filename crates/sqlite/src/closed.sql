-- Whether the tenant is closed: every commit reads it in the statement that takes its place in the log.
ALTER TABLE scim_tenant ADD COLUMN closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1));
