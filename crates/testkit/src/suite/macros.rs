//! What turns the list of cases into tests, and into a table.

/// All cases of the suite that ask for nothing but stores.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($with:ident!($($argument:tt)*)) => {
        $crate::$with! {
            ($($argument)*)
            atomic::a_change_that_fails_at_its_end_leaves_nothing
            atomic::a_guard_that_fails_takes_everything_back
            atomic::what_failed_succeeds_when_the_reason_is_gone
            atomic::writes_of_one_change_see_one_another
            atomic::the_first_obstacle_is_the_one_that_is_told
            versions::the_version_is_the_position_of_the_last_event
            versions::a_version_that_is_expected_must_be_the_one
            versions::what_is_not_there_is_not_found
            versions::modified_grows_with_every_write
            versions::id_and_meta_are_stamped
            versions::created_is_what_an_insertion_says
            versions::joins_that_change_nobody_leave_version_and_time
            keys::a_key_of_a_tenant_is_taken_once
            keys::a_key_of_everybody_is_taken_once_and_tells_nothing_of_strangers
            keys::an_id_is_taken_once
            keys::keys_that_may_repeat_do
            keys::a_key_that_is_released_is_free
            keys::keys_change_hands_within_one_change
            keys::the_first_key_that_is_taken_is_told
            keys::keys_are_compared_as_they_are
            keys::a_record_is_found_by_the_keys_it_has_now
            members::members_come_as_they_are_asked_for
            members::a_member_has_its_type_and_the_name_it_came_with
            members::the_number_of_members_is_kept
            members::a_join_adds_and_replaces_nobody
            members::strangers_do_not_join
            members::only_the_types_that_may_join_do
            members::exclusive_groups_displace
            members::a_member_sees_its_groups_at_once
            members::who_is_deleted_leaves_every_group
            members::large_groups_are_groups
            documents::a_document_comes_back_as_it_was_written
            documents::hard_texts_come_back_as_they_are
            documents::hard_texts_name_records
            documents::ids_are_compared_as_they_are
            documents::large_documents_are_documents
            documents::the_name_for_people_is_the_draft_s
            facts::facts_are_known_until_they_are_forgotten
            facts::facts_are_written_only_when_what_is_known_allows_it
            facts::facts_of_one_change_see_one_another
            facts::a_guard_counts_after_the_writes
            facts::a_guard_is_about_its_type_and_its_tenant
            log::every_event_has_its_place
            log::the_log_is_read_from_any_place
            log::the_first_event_says_who_was_displaced
            log::the_log_is_a_chain
            log::retention_keeps_the_chain
            log::a_log_is_cut_only_where_it_can_be
            closing::a_closed_tenant_commits_nothing
            closing::nothing_is_committed_behind_the_closing
            tenants::tenants_with_the_same_ids_are_apart
            tenants::what_one_tenant_does_is_not_seen_in_another
            tenants::a_tenant_that_is_not_there_has_nothing
            tenants::a_key_of_everybody_moves_when_it_is_given_up
            tenants::a_mark_of_another_tenant_shows_nothing_of_it
            together::one_of_many_gets_a_key
            together::seats_are_never_exceeded
            together::all_who_join_at_once_are_members
            together::no_update_is_lost
            together::who_is_moved_by_many_is_in_one_group
            together::who_is_deleted_meanwhile_is_in_no_group
            together::facts_are_compared_and_written_at_once
            together::readers_see_whole_commits_in_order
            together::tenants_write_at_once_without_disturbing_one_another
            orders::an_order_explains_what_threads_see_of_a_group
            crash::what_fails_before_its_commit_has_not_happened
            crash::what_fails_after_its_commit_has_happened_once
            crash::what_is_given_up_during_its_commit_is_whole_or_not_there
            crash::a_commit_that_nobody_waits_for_is_whole_or_not_there
            crash::nothing_acknowledged_is_lost_while_the_store_fails
            find::finds_what_memory_finds
            find::filters_are_not_mistaken_for_something_near
            find::lists_have_their_totals
            find::a_walk_by_marks_meets_everybody_once
            find::records_that_an_index_does_not_know_are_not_lost
            find::lists_of_ids_mean_just_those
            histories::every_history_leaves_what_it_leaves_in_memory
        }
    };
}

/// A test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    (($subject:expr) $($group:ident::$case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::suite::$group::$case(&$subject);
            }
        )*
    };
}

/// The cases by their names.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_table {
    (() $($group:ident::$case:ident)*) => {
        &[$((stringify!($case), $crate::suite::$group::$case)),*]
    };
}

/// A test for each case that opens a store again.
#[doc(hidden)]
#[macro_export]
macro_rules! __reopened_tests {
    ($fresh:expr, $reopen:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::suite::reopened::$case($fresh, $reopen);
            }
        )*
    };
}

/// A module `store_suite` with a test for each case of the [`suite`](crate::suite), for stores that come from a function.
///
/// - `cases` is the number of random cases that each law looks at; see [`Subject::cases`](crate::suite::Subject::cases).
/// - `reopen` gives a store up and opens what it has left behind, as another process would. With it the cases of
///   [`reopened`](crate::suite::reopened) are tests too, which ask whether what was acknowledged is there.
///
/// ```
/// // In a file of `tests`; more than one suite in a file need modules around them.
/// use scimwright_store::InMemory;
///
/// scimwright_testkit::store_suite!(InMemory::default, cases = 40);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    ($fresh:expr $(, cases = $cases:expr)? $(, reopen = $reopen:expr)? $(,)?) => {
        mod store_suite {
            #[allow(unused_imports, reason = "the function may be named by its whole path")]
            use super::*;

            fn subject() -> $crate::suite::Subject {
                $crate::suite::Subject::new($fresh)$(.cases($cases))?
            }

            $crate::__store_cases!(__store_tests!(subject()));
            $(
                $crate::__reopened_tests! {
                    $fresh, $reopen;
                    everything_is_there_when_it_is_opened_again
                    promises_hold_when_it_is_opened_again
                    a_log_that_was_cut_goes_on_when_it_is_opened_again
                    nobody_is_lost_who_was_acknowledged
                    what_was_under_way_is_whole_or_not_there
                }
            )?
        }
    };
}

/// All cases for transfers.
#[doc(hidden)]
#[macro_export]
macro_rules! __transfer_cases {
    ($with:ident!($($argument:tt)*)) => {
        $crate::$with! {
            ($($argument)*)
            transfer::what_is_taken_in_is_what_came_out
            transfer::a_tenant_goes_on_where_it_was
            transfer::items_come_in_their_order
            transfer::a_tenant_that_is_there_is_not_written_over
            transfer::a_source_that_breaks_leaves_nothing
            transfer::what_does_not_fit_together_stays_outside
            transfer::a_key_that_is_taken_keeps_a_tenant_outside
            transfer::a_sink_that_breaks_ends_the_export
            transfer::only_a_closed_tenant_is_erased
            transfer::an_erased_tenant_was_never_there
            transfer::closedness_moves_along
            transfer::tenants_are_those_that_have_committed
            transfer::an_archive_is_the_tenant
        }
    };
}

/// A test for each of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __transfer_tests {
    (($fresh:expr) $(transfer::$case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::suite::transfer::$case(&|| ::std::sync::Arc::new($fresh()));
            }
        )*
    };
}

/// A module `transfer_suite` with a test for each case of [`suite::transfer`](crate::suite::transfer), for stores that come from a function
/// and are of a type that is [`Transfer`](scimwright_store::Transfer).
///
/// ```
/// // In a file of `tests`.
/// use scimwright_store::InMemory;
///
/// scimwright_testkit::transfer_suite!(InMemory::default);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! transfer_suite {
    ($fresh:expr $(,)?) => {
        mod transfer_suite {
            #[allow(unused_imports, reason = "the function may be named by its whole path")]
            use super::*;

            $crate::__transfer_cases!(__transfer_tests!($fresh));
        }
    };
}
