//! The suite catches what it is there for: stores that are wrong fail the cases that ask for what is wrong with them.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod faulty;
mod lossy;
mod transfers;

use std::panic::{AssertUnwindSafe, catch_unwind};

use faulty::{Fault, Faulty};
use scimwright_testkit::suite::{CASES, Subject};

/// Whether a store with that fault fails a case of the suite.
fn fails(fault: Fault, name: &str) -> bool {
    let (_, case) = CASES.iter().find(|(case, _)| *case == name).unwrap_or_else(|| panic!("there is no case {name}"));
    catch_unwind(AssertUnwindSafe(|| case(&Subject::new(move || Faulty::new(fault)).cases(20)))).is_err()
}

/// A test for each fault: all these cases find it.
macro_rules! caught {
    ($($test:ident: $fault:ident by $($case:ident),+;)*) => {
        $(
            #[test]
            fn $test() {
                for case in [$(stringify!($case)),+] {
                    assert!(fails(Fault::$fault, case), "{:?} goes unnoticed by {case}", Fault::$fault);
                }
            }
        )*
    };
}

caught! {
    lost_updates_are_caught: LostUpdate by a_version_that_is_expected_must_be_the_one, no_update_is_lost,
        a_change_that_fails_at_its_end_leaves_nothing;
    leaking_records_are_caught: LeakingRecords by a_tenant_that_is_not_there_has_nothing, what_is_not_there_is_not_found;
    leaking_lists_are_caught: LeakingLists by tenants_with_the_same_ids_are_apart,
        a_mark_of_another_tenant_shows_nothing_of_it, finds_what_memory_finds;
    leaking_facts_are_caught: LeakingFacts by a_tenant_that_is_not_there_has_nothing;
    folded_tenants_are_caught: FoldedTenants by tenants_with_the_same_ids_are_apart, the_log_is_a_chain;
    keys_that_tell_of_strangers_are_caught: TalkativeKeys
        by a_key_of_everybody_is_taken_once_and_tells_nothing_of_strangers;
    narrow_filters_are_caught: NarrowFilter by finds_what_memory_finds, filters_are_not_mistaken_for_something_near;
    torn_commits_are_caught: TornCommit by a_change_that_fails_at_its_end_leaves_nothing,
        every_history_leaves_what_it_leaves_in_memory;
    torn_facts_are_caught: TornFacts by a_guard_that_fails_takes_everything_back;
    reused_positions_are_caught: ReusedPosition by every_event_has_its_place, the_log_is_a_chain;
    gaps_are_caught: Gap by every_event_has_its_place, the_log_is_a_chain;
    folded_keys_are_caught: FoldedKeys by keys_are_compared_as_they_are;
    folded_ids_are_caught: FoldedIds by ids_are_compared_as_they_are;
    cut_texts_are_caught: CutTexts by hard_texts_come_back_as_they_are;
    skipped_hashes_are_caught: SkippedHash by the_log_is_a_chain, retention_keeps_the_chain;
    blind_cuts_are_caught: BlindCut by a_log_is_cut_only_where_it_can_be;
    tenants_that_do_not_close_are_caught: DeafToClosing by a_closed_tenant_commits_nothing;
    closings_that_are_asked_for_too_early_are_caught: EarlyClosing by nothing_is_committed_behind_the_closing;
    joins_that_replace_are_caught: ReplacingJoin by a_join_adds_and_replaces_nobody, all_who_join_at_once_are_members;
    early_guards_are_caught: EarlyGuard by a_guard_counts_after_the_writes, seats_are_never_exceeded;
    keys_that_anybody_takes_are_caught: NoUniqueness by a_key_of_a_tenant_is_taken_once, one_of_many_gets_a_key;
    keys_that_stay_are_caught: KeptKeys by a_key_that_is_released_is_free, keys_change_hands_within_one_change;
    late_totals_are_caught: LateTotal by readers_see_whole_commits_in_order;
    versions_that_stand_still_are_caught: StandingVersions by who_is_deleted_leaves_every_group,
        exclusive_groups_displace, an_order_explains_what_threads_see_of_a_group;
    times_that_stand_still_are_caught: StandingTimes by modified_grows_with_every_write;
    blind_facts_are_caught: BlindFacts by facts_are_written_only_when_what_is_known_allows_it,
        facts_are_compared_and_written_at_once;
    stale_reads_are_caught: StaleReads by an_order_explains_what_threads_see_of_a_group;
    doubled_commits_are_caught: DoubledCommit by what_fails_after_its_commit_has_happened_once,
        nothing_acknowledged_is_lost_while_the_store_fails;
    members_that_nobody_asked_for_are_caught: AllMembers by members_come_as_they_are_asked_for;
    forgotten_commits_are_caught: Forgotten by nothing_acknowledged_is_lost_while_the_store_fails,
        all_who_join_at_once_are_members;
}

/// Every case has a name of its own, so that a list of them is complete.
#[test]
fn cases_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = CASES.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), CASES.len());
    assert!(names.len() > 70, "only {}", names.len());
}
