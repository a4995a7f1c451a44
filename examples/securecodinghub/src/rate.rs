//! How many requests an organisation may send, so that one of them cannot take the server from the others.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// Providers' first cycles come at this pace and must never be refused.
const ALWAYS_PASSES: u32 = 25;
/// Above this the limiter's clock, in whole nanoseconds, becomes too coarse to be right.
const HIGHEST: u32 = 1_000_000;
/// How many requests go by between two looks for organisations that have fallen silent.
const CHECKS_BETWEEN_SWEEPS: u32 = 4096;

/// A limit as it is written: `100/s`, `100/s:1000` with a burst, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// No request is refused. For measuring.
    Off,
    /// So many a second on average, and so many at once by an organisation that has been silent.
    PerSecond {
        /// Requests a second, at least 25.
        rate: NonZeroU32,
        /// Requests at once, at least 25.
        burst: NonZeroU32,
    },
}

impl Default for RateLimit {
    fn default() -> Self {
        const RATE: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");
        const BURST: NonZeroU32 = NonZeroU32::new(1000).expect("it is not zero");
        Self::PerSecond { rate: RATE, burst: BURST }
    }
}

impl FromStr for RateLimit {
    type Err = BadRateLimit;

    fn from_str(text: &str) -> Result<Self, BadRateLimit> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let unreadable = || BadRateLimit::Unreadable(text.to_owned());
        let number = |digits: &str| -> Result<NonZeroU32, BadRateLimit> {
            let number: u64 = digits.parse().map_err(|_| unreadable())?;
            match u32::try_from(number).ok().and_then(NonZeroU32::new) {
                Some(number) if number.get() > HIGHEST => Err(BadRateLimit::TooHigh),
                Some(number) if number.get() >= ALWAYS_PASSES => Ok(number),
                None if number != 0 => Err(BadRateLimit::TooHigh),
                _ => Err(BadRateLimit::TooLow),
            }
        };
        let (rate, burst) = match text.split_once(':') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let rate = number(rate.strip_suffix("/s").ok_or_else(unreadable)?)?;
        let burst = match burst {
            Some(burst) => number(burst)?,
            // Ten seconds' worth, as in the default: a provider's cycle begins with a rush of look-ups.
            None => rate.saturating_mul(NonZeroU32::MIN.saturating_add(9)),
        };
        Ok(Self::PerSecond { rate, burst })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::PerSecond { rate, burst } => write!(f, "{rate}/s:{burst}"),
        }
    }
}

/// A text that is no rate limit, or one that the product does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRateLimit {
    /// Neither of the three forms.
    #[error("`{0}` is no rate limit: write `100/s`, `100/s:1000` with a burst, or `off`")]
    Unreadable(String),
    /// Providers would be refused in their first cycle.
    #[error("a rate limit below {ALWAYS_PASSES}/s stops providers in their first cycle: give {ALWAYS_PASSES} or more")]
    TooLow,
    /// So high that it limits nothing.
    #[error("a rate limit above {HIGHEST}/s limits nothing: write `off`")]
    TooHigh,
}

/// The wait after which a refused request has a chance again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(u64);

impl RetryAfter {
    /// Whole seconds, at least one: the value of the `Retry-After` header.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the requests of each organisation.
#[derive(Debug)]
pub struct Limiter(Option<Buckets<DefaultClock>>);

impl Limiter {
    /// A limiter that has seen nobody yet.
    pub fn new(limit: RateLimit) -> Self {
        match limit {
            RateLimit::Off => Self(None),
            RateLimit::PerSecond { rate, burst } => Self(Some(Buckets::new(rate, burst, DefaultClock::default()))),
        }
    }

    /// Counts one request of the organisation.
    ///
    /// # Errors
    /// When the organisation has used up its burst and sends faster than its rate; says how long to wait.
    pub fn check(&self, organisation: &str) -> Result<(), RetryAfter> {
        match &self.0 {
            None => Ok(()),
            Some(buckets) => buckets.check(organisation),
        }
    }
}

type Keyed<C> = RateLimiter<String, DashMapStateStore<String>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limiter with its clock open, so that a test need not sleep.
#[derive(Debug)]
struct Buckets<C: Clock> {
    limiter: Keyed<C>,
    clock: C,
    checks: AtomicU32,
}

impl<C: Clock + Clone> Buckets<C> {
    fn new(rate: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(rate).allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Self { limiter, clock, checks: AtomicU32::new(0) }
    }

    fn check(&self, organisation: &str) -> Result<(), RetryAfter> {
        // Wrapping is harmless: 4096 divides the counter's range.
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            // Drops those whose burst is whole again. They are like organisations never seen, so nothing is forgotten.
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&organisation.to_owned()).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let started = u64::from(wait.subsec_nanos() > 0);
            RetryAfter((wait.as_secs() + started).max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::time::Duration;

    fn buckets(limit: &str) -> (Buckets<FakeRelativeClock>, FakeRelativeClock) {
        let RateLimit::PerSecond { rate, burst } = limit.parse().unwrap() else { panic!("{limit} is off") };
        let clock = FakeRelativeClock::default();
        (Buckets::new(rate, burst, clock.clone()), clock)
    }

    #[test]
    fn limits_are_read_and_written() {
        assert_eq!(RateLimit::default().to_string(), "100/s:1000");
        for (text, whole) in [("100/s", "100/s:1000"), ("25/s:25", "25/s:25"), ("25/s", "25/s:250"), ("off", "off")] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), whole);
        }
    }

    #[test]
    fn wrong_limits_say_what_to_do() {
        for text in ["24/s", "0/s", "100/s:24", "1/s:1000"] {
            assert_eq!(text.parse::<RateLimit>(), Err(BadRateLimit::TooLow), "{text}");
        }
        for text in ["1000001/s", "100/s:99999999999"] {
            assert_eq!(text.parse::<RateLimit>(), Err(BadRateLimit::TooHigh), "{text}");
        }
        for text in ["", "100", "100/m", "/s", "100/s:", "100/s:1:1", "-100/s", "OFF", " off"] {
            assert!(matches!(text.parse::<RateLimit>(), Err(BadRateLimit::Unreadable(_))), "{text:?}");
        }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (buckets, clock) = buckets("100/s:1000");
        assert_eq!((0..1100).filter(|_| buckets.check("a").is_ok()).count(), 1000);
        assert_eq!(buckets.check("a").unwrap_err().seconds(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!((0..200).filter(|_| buckets.check("a").is_ok()).count(), 100);
    }

    #[test]
    fn organisations_do_not_share() {
        let (buckets, _) = buckets("25/s:25");
        assert_eq!((0..50).filter(|_| buckets.check("a").is_ok()).count(), 25);
        assert_eq!((0..50).filter(|_| buckets.check("b").is_ok()).count(), 25);
    }

    #[test]
    fn the_pace_of_a_first_cycle_always_passes() {
        let (buckets, clock) = buckets("25/s:25");
        for _ in 0..100 {
            assert!((0..25).all(|_| buckets.check("a").is_ok()));
            clock.advance(Duration::from_secs(1));
        }
    }

    #[test]
    fn silent_organisations_are_dropped() {
        let (buckets, clock) = buckets("100/s:1000");
        for number in 0..CHECKS_BETWEEN_SWEEPS - 1 {
            assert!(buckets.check(&number.to_string()).is_ok());
        }
        assert_eq!(buckets.limiter.len(), 4095);
        clock.advance(Duration::from_secs(60));
        assert!(buckets.check("late").is_ok());
        assert_eq!(buckets.limiter.len(), 1);
    }

    #[test]
    fn an_exhausted_organisation_is_not_forgotten_by_a_sweep() {
        let (buckets, _) = buckets("100/s:1000");
        assert_eq!((0..2 * CHECKS_BETWEEN_SWEEPS).filter(|_| buckets.check("a").is_ok()).count(), 1000);
    }

    #[test]
    fn off_refuses_nothing() {
        let limiter = Limiter::new(RateLimit::Off);
        assert!((0..10_000).all(|_| limiter.check("a").is_ok()));
    }

    #[test]
    fn the_real_clock_counts_as_well() {
        let limiter = Limiter::new("25/s:25".parse().unwrap());
        assert!((0..25).all(|_| limiter.check("a").is_ok()));
        // Passing 40 ms between two of these calls would need a very slow machine, a hundred times over.
        assert!((0..100).any(|_| limiter.check("a").is_err()));
    }
}
