//! `dateTime`: RFC 7643 section 2.3.5, an `xsd:dateTime`.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, read from an `xsd:dateTime` and compared as such: two spellings of one moment are equal.
///
/// A text without offset is taken as UTC (ruling R-13). Digits beyond the nanosecond are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(NaiveDateTime);

/// Why a text is no `xsd:dateTime`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a dateTime such as 2011-05-13T04:42:34Z")]
pub struct DateTimeError {
    text: String,
}

impl Instant {
    /// A moment from chrono's date and time in UTC.
    #[must_use]
    pub const fn from_utc(utc: NaiveDateTime) -> Self {
        Self(utc)
    }

    /// The moment as chrono's date and time in UTC.
    #[must_use]
    pub const fn utc(self) -> NaiveDateTime {
        self.0
    }

    /// A text of fixed width that sorts as the moments do, or none for years outside 0 to 9999.
    #[must_use]
    pub fn sort_key(self) -> Option<String> {
        let key = self.written("%.9f");
        (key.len() == 30).then_some(key)
    }
}

impl Instant {
    /// As an `xsd:dateTime` in UTC, with the fraction in that format. A year beyond 9999 has no sign there, unlike chrono's.
    fn written(self, fraction: &str) -> String {
        let text = self.0.format(&format!("%Y-%m-%dT%H:%M:%S{fraction}Z")).to_string();
        text.strip_prefix('+').map(str::to_owned).unwrap_or(text)
    }
}

impl FromStr for Instant {
    type Err = DateTimeError;

    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        parse(text).map(Self).ok_or_else(|| DateTimeError { text: text.to_owned() })
    }
}

impl Serialize for Instant {
    /// As an `xsd:dateTime` in UTC with every digit, so that nothing is lost.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written("%.f"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC with milliseconds, the form in which this family writes `meta`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written("%.3f"))
    }
}

/// `-?yyyy-mm-ddThh:mm:ss[.s+][zzzzzz]`, by the lexical rules of XML Schema part 2, section 3.2.7.
fn parse(text: &str) -> Option<NaiveDateTime> {
    let (date, rest) = text.split_once('T')?;
    let (negative, digits) = match date.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, date),
    };
    let mut parts = digits.split('-');
    let year = parts.next()?;
    if year.len() < 4 || (year.len() > 4 && year.starts_with('0')) {
        return None;
    }
    let year: i32 = number(year)?.try_into().ok()?;
    let (month, day) = (two(parts.next()?)?, two(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(if negative { year.checked_neg()? } else { year }, month, day)?;

    let (clock, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => (rest.get(..at)?, rest.get(at..)?),
        None => (rest, "Z"),
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (two(parts.next()?)?, two(parts.next()?)?, two(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let nanos = match fraction {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(9)
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')),
        Some(_) => return None,
        None => 0,
    };
    // 24:00:00 is the first moment of the next day.
    let midnight = hour == 24 && minute == 0 && second == 0 && nanos == 0;
    let time = NaiveTime::from_hms_nano_opt(if midnight { 0 } else { hour }, minute, second, nanos)?;
    let local = date.and_time(time).checked_add_signed(TimeDelta::days(i64::from(midnight)))?;
    local.checked_sub_signed(TimeDelta::minutes(minutes_of(offset)?))
}

/// `Z`, or `+hh:mm` and `-hh:mm` up to fourteen hours.
fn minutes_of(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("Z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let minutes = i64::from(two(hours)?) * 60 + i64::from(two(minutes).filter(|minutes| *minutes < 60)?);
    (minutes <= 14 * 60).then_some(sign * minutes)
}

fn two(text: &str) -> Option<u32> {
    if text.len() == 2 { number(text) } else { None }
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn moments_are_compared_not_spellings() {
        assert_eq!(at("2011-05-13T04:42:34Z"), at("2011-05-13T00:42:34.000-04:00"));
        assert_eq!(at("2011-05-13T24:00:00Z"), at("2011-05-14T00:00:00"));
        assert!(at("0001-01-03T00:00:00.0000000Z") < at("2999-12-31T23:59:59.9999999Z"));
        assert!(at("-0044-03-15T12:00:00Z") < at("0001-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_date_time_is_refused() {
        for bad in [
            "",
            "2020-01-01",
            "2020-13-01T00:00:00Z",
            "2020-1-01T00:00:00Z",
            "2020-01-01T00:00Z",
            "2020-01-01 00:00:00Z",
            "2020-01-01T24:00:01Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00+15:00",
            "2020-01-01T00:00:00z",
            "yesterday",
            "2020-02-30T00:00:00Z",
            "99999999999-01-01T00:00:00Z",
            "2020-01-01T00:00:00Zé",
            "+2020-01-01T00:00:00Z",
        ] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_survive_json_to_the_last_digit() {
        let moment = at("2011-05-13T04:42:34.123456789Z");
        assert_eq!(serde_json::from_value::<Instant>(serde_json::to_value(moment).unwrap()).unwrap(), moment);
    }

    #[test]
    fn sort_keys_sort_as_moments() {
        assert_eq!(at("2011-05-13T00:42:34.5-04:00").sort_key().as_deref(), Some("2011-05-13T04:42:34.500000000Z"));
        assert_eq!(at("12011-05-13T00:42:34Z").sort_key(), None);
        assert_eq!(at("-0044-05-13T00:42:34Z").sort_key(), None);
    }
}
