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
            find::finds_what_memory_finds
            find::filters_are_not_mistaken_for_something_near
            find::lists_have_their_totals
            find::a_walk_by_marks_meets_everybody_once
            find::records_that_an_index_does_not_know_are_not_lost
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

/// A module `store_suite` with a test for each case of the [`suite`](crate::suite), for stores that come from a function.
///
/// `cases` is the number of random cases that each law looks at; see [`Subject::cases`](crate::suite::Subject::cases).
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
    ($fresh:expr $(, cases = $cases:expr)? $(,)?) => {
        mod store_suite {
            #[allow(unused_imports, reason = "the function may be named by its whole path")]
            use super::*;

            fn subject() -> $crate::suite::Subject {
                $crate::suite::Subject::new($fresh)$(.cases($cases))?
            }

            $crate::__store_cases!(__store_tests!(subject()));
        }
    };
}
