//! The faults of a run: what goes wrong in it, and when.

use super::bounds::{LENGTH, TIME, check_duration, check_rate, check_share, one_of};
use super::class::ClassSpec;
use super::error::SpecError;
use super::profile::Stretch;
use crate::base::time::{describe, nanos};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A fault. Times count from the beginning of the run, warm-up included.
///
/// ```
/// use seda_sim::Spec;
/// use seda_sim::spec::Fault;
///
/// let spec: Spec = r#"
///     arrivals = { rate = 70.0 }
///     [[stage]]
///     name = "render"
///     capacity = 100
///     demand = { kind = "exponential", mean = "10ms" }
///     [[fault]]
///     kind = "slow"
///     stage = "render"
///     factor = 10.0
///     from = "20s"
///     to = "40s"
/// "#.parse()?;
/// assert!(matches!(spec.faults[0], Fault::Slow { factor: 10.0, .. }));
/// # Ok::<(), seda_sim::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Every batch that a stage, or one replica of it, begins during the fault takes `factor` times
    /// as long.
    Slow {
        /// The stage; `NAME-2` is the second replica of `NAME`.
        stage: String,
        /// The factor, above 0 up to 1,000,000.
        factor: f64,
        /// The beginning.
        #[serde(default, with = "humantime_serde")]
        from: Duration,
        /// The end. `None`: the fault lasts to the end of the run.
        #[serde(default, with = "humantime_serde")]
        to: Option<Duration>,
    },
    /// Every batch that a stage begins during the fault blocks until the fault is over.
    Stall {
        /// The stage; `NAME-2` is the second replica of `NAME`.
        stage: String,
        /// The beginning.
        #[serde(with = "humantime_serde")]
        at: Duration,
        /// The length, 1 µs to 100 days.
        #[serde(rename = "for", with = "humantime_serde")]
        length: Duration,
    },
    /// The handler of a stage panics, during the whole run.
    Panic {
        /// The stage; `NAME-2` is the second replica of `NAME`.
        stage: String,
        /// The probability that an event makes it panic, 0 to 1.
        share: f64,
    },
    /// The arrivals of a class are `factor` times as many.
    Flood {
        /// The class; `default` where a spec has no classes.
        class: String,
        /// The factor, above 0 up to 1,000,000.
        factor: f64,
        /// The beginning.
        #[serde(with = "humantime_serde")]
        from: Duration,
        /// The end.
        #[serde(with = "humantime_serde")]
        to: Duration,
    },
    /// More arrivals of a class, Poisson, beside all others. Those others stay as they are, to the
    /// nanosecond; a flood moves them. So a run can be compared with the same run without it.
    Burst {
        /// The class; `default` where a spec has no classes.
        class: String,
        /// Requests per second, above 0 up to 10,000,000.
        rate: f64,
        /// Whether the rate rises evenly from 0 to `rate` in the first half, and falls in the
        /// second. Otherwise it is `rate` all the time.
        #[serde(default)]
        ramp: bool,
        /// The beginning.
        #[serde(with = "humantime_serde")]
        from: Duration,
        /// The end.
        #[serde(with = "humantime_serde")]
        to: Duration,
    },
    /// The cache of a stage ([`Demand::Cached`](super::Demand::Cached)) loses entries.
    Cold {
        /// The stage; `NAME-2` is the second replica of `NAME`.
        stage: String,
        /// The lost share of its entries, 0 to 1.
        share: f64,
        /// The moment of the loss.
        #[serde(with = "humantime_serde")]
        at: Duration,
        /// How long no entry is stored, up to 100 days. Default: the next miss stores one.
        #[serde(default, rename = "for", with = "humantime_serde")]
        length: Duration,
    },
}

/// The pieces of constant rate that a ramp is made of, in each half: the rate is within 2 % of its
/// highest from an even one.
const RAMP_PIECES: u32 = 32;

/// A flood of one class; times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) factor: f64,
}

/// The parts of a spec that its faults refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaultScope<'a> {
    /// The names of the queues.
    pub(super) queues: &'a [String],
    /// Those among them that have a cache.
    pub(super) cached: &'a [String],
    pub(super) classes: &'a [ClassSpec],
    /// Whether the shared arrivals have a rate, which a flood can multiply.
    pub(super) has_rate: bool,
    /// The end of the run, from its beginning.
    pub(super) end: Duration,
}

impl Fault {
    /// Returns the flood of `class`, if the fault is one.
    pub(super) fn flood(&self, class: &str) -> Option<Flood> {
        match self {
            Fault::Flood { class: flooded, factor, from, to } if flooded == class => {
                Some(Flood { from: nanos(*from), to: nanos(*to), factor: *factor })
            }
            _ => None,
        }
    }

    /// Returns the rates of a burst; none of another fault. The last rate, 0, goes on for ever.
    pub(crate) fn burst(&self) -> Vec<Stretch> {
        let Fault::Burst { rate, ramp, from, to, .. } = self else {
            return Vec::new();
        };
        let mut stretches = vec![Stretch { until: nanos(*from), rate: 0.0 }];
        let length = to.saturating_sub(*from);
        let pieces = if *ramp { 2 * RAMP_PIECES } else { 1 };
        for piece in 0..pieces {
            // The height of a ramp in the middle of its piece.
            let middle = (f64::from(piece) + 0.5) / f64::from(pieces);
            let height = if *ramp { 1.0 - (2.0 * middle - 1.0).abs() } else { 1.0 };
            let until = from.saturating_add(length * (piece + 1) / pieces);
            stretches.push(Stretch { until: nanos(until), rate: rate * height });
        }
        stretches.push(Stretch { until: u64::MAX, rate: 0.0 });
        stretches
    }

    /// Checks that names are known, values are within bounds, and the fault begins in the run.
    pub(super) fn check(&self, scope: FaultScope<'_>) -> Result<(), SpecError> {
        match self {
            Fault::Slow { stage, factor, from, to } => {
                scope.check_stage(stage)?;
                check_factor(*factor)?;
                scope.check_period(*from, *to)
            }
            Fault::Stall { stage, at, length } => {
                scope.check_stage(stage)?;
                scope.check_begin("fault.at", *at)?;
                check_duration("fault.for", *length, LENGTH)
            }
            Fault::Panic { stage, share } => {
                scope.check_stage(stage)?;
                check_share("fault.share", *share, 1.0)
            }
            Fault::Flood { class, factor, from, to } => {
                check_factor(*factor)?;
                scope.check_flooded(class)?;
                scope.check_period(*from, Some(*to))
            }
            Fault::Burst { class, rate, from, to, .. } => {
                scope.check_class(class)?;
                if *rate <= 0.0 {
                    return Err(SpecError::value("fault.rate", rate, "above 0 per second"));
                }
                check_rate("fault.rate", *rate)?;
                scope.check_period(*from, Some(*to))
            }
            Fault::Cold { stage, share, at, length } => {
                scope.check_cached(stage)?;
                check_share("fault.share", *share, 1.0)?;
                scope.check_begin("fault.at", *at)?;
                check_duration("fault.for", *length, TIME)
            }
        }
    }
}

fn check_factor(factor: f64) -> Result<(), SpecError> {
    if factor > 0.0 && factor <= 1e6 {
        return Ok(());
    }
    Err(SpecError::value("fault.factor", factor, "above 0, up to 1000000"))
}

impl FaultScope<'_> {
    fn check_stage(&self, stage: &String) -> Result<(), SpecError> {
        if self.queues.contains(stage) {
            return Ok(());
        }
        Err(SpecError::value("fault.stage", stage, one_of(self.queues)))
    }

    /// Checks that a stage is known and has a cache, which can lose its entries.
    fn check_cached(&self, stage: &String) -> Result<(), SpecError> {
        self.check_stage(stage)?;
        if self.cached.contains(stage) {
            return Ok(());
        }
        Err(SpecError::value("fault.stage", stage, "a stage with a demand of kind `cached`"))
    }

    fn check_class(&self, class: &String) -> Result<&ClassSpec, SpecError> {
        self.classes.iter().find(|known| known.name == *class).ok_or_else(|| {
            let names: Vec<&str> = self.classes.iter().map(|known| known.name.as_str()).collect();
            SpecError::value("fault.class", class, one_of(&names))
        })
    }

    /// Checks that a class is known and that its arrivals have a rate, which a flood multiplies.
    fn check_flooded(&self, class: &String) -> Result<(), SpecError> {
        let flooded = self.check_class(class)?;
        if self.has_rate || flooded.rate.is_some() {
            return Ok(());
        }
        let allowed =
            "one with a rate of arrivals: neither a trace's nor a closed loop's classes have one";
        Err(SpecError::value("fault.class", class, allowed))
    }

    fn check_period(&self, from: Duration, to: Option<Duration>) -> Result<(), SpecError> {
        self.check_begin("fault.from", from)?;
        let Some(to) = to else {
            return Ok(());
        };
        check_duration("fault.to", to, TIME)?;
        if to <= from {
            let allowed = format!("later than `from`, which is {}", describe(from));
            return Err(SpecError::value("fault.to", describe(to), allowed));
        }
        Ok(())
    }

    /// Checks that a fault begins before the run ends: later it would have no effect.
    fn check_begin(&self, key: &str, begin: Duration) -> Result<(), SpecError> {
        if begin < self.end {
            return Ok(());
        }
        let allowed = format!("before the run ends, at {}", describe(self.end));
        Err(SpecError::value(key, describe(begin), allowed))
    }
}
