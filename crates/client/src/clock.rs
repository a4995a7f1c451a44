//! Time, as far as waiting needs it.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// Waits between attempts. A runtime has a clock, and a test one that does not take time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Is done after that time.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// The time of day, to which a `Retry-After` that is a date is compared.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// A number from 0 to 1, so that clients that failed together do not come back together.
    fn random(&self) -> f64 {
        fastrand::f64()
    }
}

/// The clock of tokio: its sleep needs a tokio runtime around it.
#[cfg(feature = "reqwest")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TokioClock;

#[cfg(feature = "reqwest")]
impl Clock for TokioClock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
