//! The store that every other is measured by passes the suite itself.

use scimwright_store::InMemory;

scimwright_testkit::store_suite!(InMemory::default);

scimwright_testkit::transfer_suite!(InMemory::default);
