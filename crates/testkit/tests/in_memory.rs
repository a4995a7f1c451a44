//! The store that every other is measured by passes the suite itself.

use scimwright_store::InMemory;

// It is its own oracle: random cases can only show that tenants and cases do not disturb one another.
scimwright_testkit::store_suite!(InMemory::default, cases = 20);

scimwright_testkit::transfer_suite!(InMemory::default);
