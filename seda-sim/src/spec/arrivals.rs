//! The arrivals of a spec.

use super::beside::TimerSpec;
use super::bounds::{LENGTH, REFUSAL, check_duration, check_rate};
use super::error::SpecError;
use super::process::Process;
use super::profile::{Part, Stretch, parse_profile};
use super::trace::Trace;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// The times at which requests arrive. They depend on no answer, so the load is open, unless the
/// [clients](super::ClientSpec::clients) of a closed loop make it.
///
/// ```
/// use seda_sim::spec::{ArrivalsSpec, Process};
///
/// let text = "process = 'on_off'\nrate = 800.0\non = '300ms'\noff = '100ms'";
/// let arrivals: ArrivalsSpec = toml::from_str(text)?;
/// assert_eq!((arrivals.process, arrivals.mean_rate()), (Process::OnOff, 600.0));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ArrivalsSpec {
    /// How arrivals are spaced.
    pub process: Process,
    /// Requests per second, up to 10,000,000; of an on/off source, while it is on. `None`: a
    /// profile or a trace says it.
    pub rate: Option<f64>,
    /// Rates over time, in place of `rate`: `900/s:5s,1400/s:10s`. The last rate goes on for ever.
    /// [`parse_profile`] reads it.
    pub profile: Option<String>,
    /// Mean length of the stretches in which an on/off source is on, 1 µs to 100 days. Each length
    /// is exponential.
    #[serde(with = "humantime_serde")]
    pub on: Option<Duration>,
    /// Mean length of the stretches in which an on/off source is off, 1 µs to 100 days.
    #[serde(with = "humantime_serde")]
    pub off: Option<Duration>,
    /// A file with one line for each request: its time in seconds since the beginning, ascending;
    /// then a tab and its demand in seconds, if a stage uses
    /// [`Demand::Trace`](super::Demand::Trace).
    pub trace: Option<PathBuf>,
    /// Whether a trace begins anew when it has ended. Otherwise it has to last for warm-up and
    /// window.
    pub repeat: bool,
    /// Events that enter beside the requests.
    pub timers: Vec<TimerSpec>,
    /// Core time of a request outside the stages, as for its connection, up to 1 s.
    #[serde(with = "humantime_serde")]
    pub cpu: Duration,
    /// The contents of `trace`; empty until it is read.
    #[serde(skip)]
    pub recorded: Trace,
}

impl ArrivalsSpec {
    /// Returns the rates over time; the last rate goes on for ever.
    pub(crate) fn rates(&self) -> Result<Vec<Stretch>, SpecError> {
        match (&self.profile, self.rate) {
            (None, rate) => Ok(vec![Stretch { until: u64::MAX, rate: rate.unwrap_or(0.0) }]),
            (Some(profile), None) => Ok(parse_profile(profile)?),
            (Some(profile), Some(_)) => {
                Err(SpecError::value("arrivals.profile", profile, "either `rate` or `profile`"))
            }
        }
    }

    /// Returns the mean number of requests per second in the last stretch. An on/off source counts
    /// with its mean over on and off. 0 if the rate is unknown.
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

    /// Returns whether there are no arrivals at all.
    pub(super) fn is_silent(&self) -> Result<bool, SpecError> {
        Ok(match self.process {
            Process::Trace => self.recorded.times.is_empty(),
            _ => self.rates()?.iter().all(|stretch| stretch.rate <= 0.0),
        })
    }

    /// Multiplies the rate by `factor`. A trace is played faster and then repeats.
    pub(super) fn scale(&mut self, factor: f64) {
        if self.profile.is_some()
            && let Ok(rates) = self.rates()
        {
            self.profile = Some(scaled_profile(&rates, factor));
        }
        self.rate = self.rate.map(|rate| rate * factor);
        self.recorded.times.iter_mut().for_each(|time| *time /= factor);
        self.repeat |= self.process == Process::Trace;
    }

    /// Checks the arrivals of a run with its window up to `end`.
    pub(super) fn check(&self, end: Duration) -> Result<(), SpecError> {
        self.check_effects()?;
        check_duration("arrivals.cpu", self.cpu, REFUSAL)?;
        for stretch in self.rates()? {
            check_rate("arrivals.rate", stretch.rate)?;
        }
        match self.process {
            Process::OnOff => {
                check_duration("arrivals.on", self.on.unwrap_or_default(), LENGTH)?;
                check_duration("arrivals.off", self.off.unwrap_or_default(), LENGTH)
            }
            Process::Trace => self.check_trace(end),
            // A rate alone defines the other processes.
            _ => Ok(()),
        }
    }

    /// Checks that every setting has an effect.
    fn check_effects(&self) -> Result<(), SpecError> {
        let is_traced = self.process == Process::Trace;
        let is_on_off = self.process == Process::OnOff;
        if is_traced && self.rate.is_some() {
            return Err(without_effect("rate", BESIDE_A_TRACE));
        }
        if is_traced && self.profile.is_some() {
            return Err(without_effect("profile", BESIDE_A_TRACE));
        }
        if !is_traced && (self.trace.is_some() || !self.recorded.times.is_empty()) {
            return Err(without_effect("trace", "with process = \"trace\""));
        }
        if !is_traced && self.repeat {
            return Err(without_effect("repeat", "with process = \"trace\""));
        }
        if !is_on_off && self.on.is_some() {
            return Err(without_effect("on", "with process = \"on_off\""));
        }
        if !is_on_off && self.off.is_some() {
            return Err(without_effect("off", "with process = \"on_off\""));
        }
        Ok(())
    }

    fn check_trace(&self, end: Duration) -> Result<(), SpecError> {
        self.recorded.check()?;
        let last = self.recorded.times.last().copied().unwrap_or(0.0);
        let length = format!("{last} seconds long");
        let needed = end.as_secs_f64();
        if !self.repeat && last < needed {
            let allowed = format!(
                "as long as warm_up and window together, {needed} seconds, or with `repeat = true`"
            );
            return Err(SpecError::value("arrivals.trace", length, allowed));
        }
        if self.recorded.mean_rate() <= 0.0 {
            return Err(SpecError::value("arrivals.trace", length, "longer than 0 seconds"));
        }
        check_rate("arrivals.trace", self.recorded.mean_rate())
    }
}

/// The remedy of a rate or a profile beside a trace.
const BESIDE_A_TRACE: &str = "none beside a trace, which has the times of all requests";

/// Returns the error of a setting that has no effect.
fn without_effect(key: &str, allowed: &str) -> SpecError {
    SpecError::value(format!("arrivals.{key}"), "set", allowed)
}

/// Returns the text of a profile with these rates, multiplied by `factor`.
fn scaled_profile(rates: &[Stretch], factor: f64) -> String {
    let mut from = 0;
    let mut parts = Vec::with_capacity(rates.len());
    for stretch in rates {
        let duration = Duration::from_nanos(stretch.until.saturating_sub(from));
        parts.push(Part { rate: stretch.rate * factor, duration }.to_string());
        from = stretch.until;
    }
    parts.join(",")
}
