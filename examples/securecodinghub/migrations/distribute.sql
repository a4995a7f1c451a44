-- For Citus, once, after `securecodinghub migrate` and before there is anything in the tables: each organisation lives on one
-- machine, next to its resources (see distribute.sql of scimwright-postgres). What leads to an organisation before it is known
-- which is distributed by what it is looked up by.

SELECT create_reference_table('sch_meta');
SELECT create_reference_table('sch_waiting');

SELECT create_distributed_table('sch_organisation', 'id');
SELECT create_distributed_table('sch_token', 'organisation', colocate_with => 'sch_organisation');
SELECT create_distributed_table('sch_extension', 'organisation', colocate_with => 'sch_organisation');
SELECT create_distributed_table('sch_notice', 'organisation', colocate_with => 'sch_organisation');

SELECT create_distributed_table('sch_name', 'name_key', colocate_with => 'none');
SELECT create_distributed_table('sch_digest', 'digest', colocate_with => 'none');
