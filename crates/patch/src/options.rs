//! What is forgiven beyond RFC 7644, and the limits.

use scimwright_core::Unknown;
use scimwright_filter::{Leniency, Syntax};

/// How a PATCH is read and applied. The default is strict; each switch tolerates one thing that clients are known to send.
///
/// Whichever switch a request really needed is named in [`Patched::leniencies`](crate::Patched::leniencies).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchOptions {
    /// How paths are read (RFC 7644 section 3.5.2, figure 7).
    pub syntax: Syntax,
    /// How many operations a message may have.
    pub max_operations: usize,
    /// `add` and `replace` on a value path that selects nothing make the value that its filter describes, when the filter is `eq`
    /// terms joined by `and` (rulings ). RFC 7644 section 3.5.2.3 wants `noTarget`.
    pub create_on_no_match: bool,
    /// `remove` with a path and a value removes the values that are named, and no others (ruling R-19). RFC 7644 section 3.5.2.2
    /// knows no such value, so without this it is refused; it is never ignored.
    ///
    /// A value names a value of a list by its `value`, and by its `type` where it gives one; without `value`, by everything that it
    /// gives. An attribute with one value is removed when it says what is given. `[]` and `{}` name nothing, so nothing is removed.
    /// `null` is as good as no value where the path itself says what goes; in front of a whole list it is refused, because
    /// emptying the list is the one thing that it must not mean.
    pub remove_with_value: bool,
    /// `"True"` and `"False"`, in any case, stand for booleans in values and filters (ruling R-30).
    pub boolean_strings: bool,
    /// `""` for a string, a reference or a complex attribute unassigns it. A value of a list that is left with nothing but `type`,
    /// `primary` and `display` by that goes altogether.
    pub empty_string_clears: bool,
    /// A bare string for a complex attribute with one value that has a `value`, such as `manager`, stands for `{"value": …}`. What
    /// the old value said besides goes when the two differ: it was about another.
    pub reference_as_string: bool,
    /// Members of the message and of operations that RFC 7644 does not have are ignored.
    pub extra_members: bool,
    /// What happens to names in values that no schema has (ruling R-36). In a path such a name is always an error.
    pub unknown: Unknown,
}

impl Default for PatchOptions {
    fn default() -> Self {
        Self {
            syntax: Syntax::default(),
            max_operations: 10_000,
            create_on_no_match: false,
            remove_with_value: false,
            boolean_strings: false,
            empty_string_clears: false,
            reference_as_string: false,
            extra_members: false,
            unknown: Unknown::Ignore,
        }
    }
}

impl PatchOptions {
    /// Everything that can be forgiven is.
    #[must_use]
    pub fn tolerant() -> Self {
        Self {
            syntax: Syntax::tolerant(),
            create_on_no_match: true,
            remove_with_value: true,
            boolean_strings: true,
            empty_string_clears: true,
            reference_as_string: true,
            extra_members: true,
            ..Self::default()
        }
    }
}

pub(crate) const CREATE_ON_NO_MATCH: &str = "create-on-no-match";
pub(crate) const REMOVE_WITH_VALUE: &str = "remove-with-value";
pub(crate) const BOOLEAN_STRINGS: &str = "boolean-strings";
pub(crate) const FILTER_BOOLEAN_STRINGS: &str = "filter-boolean-strings";
pub(crate) const EMPTY_STRING_CLEARS: &str = "empty-string-clears";
pub(crate) const REFERENCE_AS_STRING: &str = "reference-as-string";
pub(crate) const EXTRA_MEMBERS: &str = "patch-extra-members";
pub(crate) const UNKNOWN_ATTRIBUTES: &str = "unknown-attributes";
pub(crate) const PATH_KEYS_IN_VALUE: &str = "path-keys-in-value";
const UNQUOTED_FILTER_VALUES: &str = "unquoted-filter-values";
const ATTRIBUTE_AFTER_BRACKET: &str = "attribute-after-bracket-in-filter";

/// What a request needed, and what of it was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) leniencies: Vec<&'static str>,
    pub(crate) ignored: Vec<String>,
}

impl Notes {
    /// Remembers a leniency, each once.
    pub(crate) fn lenient(&mut self, name: &'static str) {
        if !self.leniencies.contains(&name) {
            self.leniencies.push(name);
        }
    }

    /// Remembers what a path was forgiven.
    pub(crate) fn lenient_path(&mut self, leniencies: &[Leniency]) {
        for leniency in leniencies {
            self.lenient(match leniency {
                Leniency::AttributeAfterBracket => ATTRIBUTE_AFTER_BRACKET,
                // Single quotes and `True` without any are the same habit: a literal that JSON would not take.
                _ => UNQUOTED_FILTER_VALUES,
            });
        }
    }

    /// Remembers a name that no schema has, and that was passed over.
    pub(crate) fn ignore(&mut self, name: String) {
        self.lenient(UNKNOWN_ATTRIBUTES);
        self.ignored.push(name);
    }
}
