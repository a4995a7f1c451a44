-- Distributes the tables of the store over the nodes of a Citus cluster: by tenant, and all of one tenant on one node, so that every
-- statement of the store goes to one node alone. Run it once, after `migrate`, while no server is writing. The table in which the
-- migrations are noted stays where it is.
--
-- A foreign key may lead only from a distributed table to one that stands beside it, so the keys are made anew when both do.
BEGIN;
ALTER TABLE scim_count DROP CONSTRAINT scim_count_of_tenant;
ALTER TABLE scim_record DROP CONSTRAINT scim_record_of_tenant;
ALTER TABLE scim_log DROP CONSTRAINT scim_log_of_tenant;
ALTER TABLE scim_fact DROP CONSTRAINT scim_fact_of_tenant;

SELECT create_distributed_table('scim_tenant', 'tenant');
SELECT create_distributed_table('scim_count', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_keyed', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_record', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_key', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_unique', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_member', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_log', 'tenant', colocate_with => 'scim_tenant');
SELECT create_distributed_table('scim_fact', 'tenant', colocate_with => 'scim_tenant');
-- Looked up by its value, before a tenant is known.
SELECT create_distributed_table('scim_global', 'value', colocate_with => 'none');

ALTER TABLE scim_count ADD CONSTRAINT scim_count_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant);
ALTER TABLE scim_record ADD CONSTRAINT scim_record_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant);
ALTER TABLE scim_log ADD CONSTRAINT scim_log_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant);
ALTER TABLE scim_fact ADD CONSTRAINT scim_fact_of_tenant FOREIGN KEY (tenant) REFERENCES scim_tenant (tenant);
COMMIT;
