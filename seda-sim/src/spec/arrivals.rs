//! When requests come.

use super::check::{LENGTH, SpecError, check_duration};
use super::profile::{Stretch, parse_profile};
use super::trace::Trace;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// When requests come. The times depend on no answer: the load is open, unless
/// [clients](super::ClientSpec::clients) of a closed loop make it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ArrivalsSpec {
    /// How they are spread.
    pub process: Process,
    /// Requests per second. Of an on/off source: while it is on.
    pub rate: Option<f64>,
    /// Rates over time, instead: `900/s:5s,1400/s:10s`. The last one goes on.
    pub profile: Option<String>,
    /// Mean length of an on/off source's stretches, each exponential.
    #[serde(with = "humantime_serde")]
    pub on: Option<Duration>,
    /// Mean length of those in which nothing comes.
    #[serde(with = "humantime_serde")]
    pub off: Option<Duration>,
    /// A file with a number of seconds since the beginning in each line, in order; behind a tab
    /// what the request demands in seconds, if a stage asks for that
    /// ([`Demand::Trace`](super::Demand::Trace)).
    pub trace: Option<PathBuf>,
    /// Whether a trace begins anew when it has ended. Otherwise it has to last for warm-up and
    /// window.
    pub repeat: bool,
    /// What was read of it.
    #[serde(skip)]
    pub recorded: Trace,
}

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Process {
    /// Without memory, as many independent clients come.
    #[default]
    Poisson,
    /// One gap like the other.
    Uniform,
    /// Poisson while it is on, nothing while it is off.
    OnOff,
    /// As recorded.
    Trace,
}

impl ArrivalsSpec {
    /// The rates over time; the last goes on for ever.
    pub(crate) fn rates(&self) -> Result<Vec<Stretch>, SpecError> {
        match (&self.profile, self.rate) {
            (None, rate) => Ok(vec![Stretch { until: u64::MAX, rate: rate.unwrap_or(0.0) }]),
            (Some(profile), None) => parse_profile(profile),
            (Some(profile), Some(_)) => {
                Err(SpecError::value("arrivals.profile", profile, "either `rate` or `profile`"))
            }
        }
    }

    /// Mean requests per second in the last stretch, on/off sources on the average.
    pub fn mean_rate(&self) -> f64 {
        let last = self.rates().ok().and_then(|rates| rates.last().copied());
        let rate = last.map_or(0.0, |stretch| stretch.rate);
        match (self.process, self.on, self.off) {
            (Process::OnOff, Some(on), Some(off)) => {
                rate * on.as_secs_f64() / (on.as_secs_f64() + off.as_secs_f64())
            }
            (Process::Trace, ..) => self.recorded.mean_rate(),
            _ => rate,
        }
    }

    /// Whether anything comes at all.
    pub(super) fn is_silent(&self) -> Result<bool, SpecError> {
        Ok(match self.process {
            Process::Trace => self.recorded.times.is_empty(),
            _ => self.rates()?.iter().all(|stretch| stretch.rate <= 0.0),
        })
    }

    /// `factor` times as many in the same time: a trace is faster and begins anew.
    pub(super) fn scale(&mut self, factor: f64) {
        if let Ok(rates) = self.rates().map(|rates| rates.into_iter()) {
            let mut from = 0;
            let part = |stretch: Stretch| {
                let length = Duration::from_nanos(stretch.until.saturating_sub(from));
                from = stretch.until;
                format!("{}/s:{}", stretch.rate * factor, humantime::format_duration(length))
            };
            if self.profile.is_some() {
                self.profile = Some(rates.map(part).collect::<Vec<_>>().join(","));
            }
        }
        self.rate = self.rate.map(|rate| rate * factor);
        self.recorded.times.iter_mut().for_each(|time| *time /= factor);
        self.repeat |= self.process == Process::Trace;
    }

    /// Checks it for a run that is measured until `end`.
    pub(super) fn check(&self, end: Duration) -> Result<(), SpecError> {
        self.check_effects()?;
        for stretch in self.rates()? {
            check_rate("arrivals.rate", stretch.rate)?;
        }
        match self.process {
            Process::OnOff => {
                for (key, length) in [("arrivals.on", self.on), ("arrivals.off", self.off)] {
                    check_duration(key, length.unwrap_or_default(), LENGTH)?;
                }
            }
            Process::Trace => self.check_trace(end)?,
            Process::Poisson | Process::Uniform => {}
        }
        Ok(())
    }

    /// What is set must have an effect.
    fn check_effects(&self) -> Result<(), SpecError> {
        let (traced, on_off) = (self.process == Process::Trace, self.process == Process::OnOff);
        let set = |key: &str, allowed: &str| {
            Err(SpecError::value(format!("arrivals.{key}"), "set", allowed))
        };
        if traced && self.rate.is_some() {
            return set("rate", "none beside a trace, whose times say when requests come");
        }
        if traced && self.profile.is_some() {
            return set("profile", "none beside a trace, whose times say when requests come");
        }
        if !traced && (self.trace.is_some() || !self.recorded.times.is_empty()) {
            return set("trace", "with process = \"trace\"");
        }
        if !traced && self.repeat {
            return set("repeat", "with process = \"trace\"");
        }
        if !on_off && self.on.is_some() {
            return set("on", "with process = \"on_off\"");
        }
        if !on_off && self.off.is_some() {
            return set("off", "with process = \"on_off\"");
        }
        Ok(())
    }

    fn check_trace(&self, end: Duration) -> Result<(), SpecError> {
        self.recorded.check()?;
        let last = self.recorded.times.last().copied().unwrap_or(0.0);
        let long = |allowed: String| {
            Err(SpecError::value("arrivals.trace", format!("{last} seconds long"), allowed))
        };
        let needed = end.as_secs_f64();
        if !self.repeat && last < needed {
            return long(format!(
                "as long as warm_up and window together, {needed} seconds, or with `repeat = true`"
            ));
        }
        if self.recorded.mean_rate() <= 0.0 {
            return long("more than nothing".to_owned());
        }
        check_rate("arrivals.trace", self.recorded.mean_rate())
    }
}

/// Ten million a second: beyond it a stretch of seconds takes minutes.
pub(super) fn check_rate(key: &str, rate: f64) -> Result<(), SpecError> {
    if (0.0..=1e7).contains(&rate) {
        return Ok(());
    }
    Err(SpecError::value(key, rate, "0 to 10000000 per second"))
}
