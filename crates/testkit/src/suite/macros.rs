//! What turns the list of cases into tests, and into a table.

/// All cases of the suite that ask for nothing but stores.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($with:ident!($($argument:tt)*)) => {
        $crate::$with! {
            ($($argument)*)
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
