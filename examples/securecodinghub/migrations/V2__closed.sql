-- Whether an organisation takes no requests, and why: it is on its way to another database, or from one, or has gone there.
ALTER TABLE sch_organisation ADD COLUMN closed text COLLATE "C";
