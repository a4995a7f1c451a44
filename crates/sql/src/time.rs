//! Times as columns: nanoseconds since 1970 in UTC.

use chrono::DateTime;
use scimwright_core::Instant;

/// The moment of so many nanoseconds since 1970.
#[must_use]
pub fn instant(nanos: i64) -> Instant {
    Instant::from_utc(DateTime::from_timestamp_nanos(nanos).naive_utc())
}

/// A moment in nanoseconds since 1970; none when it is not between the years 1678 and 2261.
#[must_use]
pub fn nanos(instant: Instant) -> Option<i64> {
    instant.utc().and_utc().timestamp_nanos_opt()
}
