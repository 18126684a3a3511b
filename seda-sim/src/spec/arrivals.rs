//! When requests come, and of which class.

use super::check::SpecError;
use super::demand::numbers;
use super::fault::Fault;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When requests come. The times depend on no answer: the load is open.
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
    /// A file with a number of seconds since the beginning in each line, in order.
    pub trace: Option<PathBuf>,
    /// What was read of it.
    #[serde(skip)]
    pub times: Vec<f64>,
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

/// A class of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClassSpec {
    /// Its name.
    pub name: String,
    /// How many events it may take out of a queue in its turn.
    #[serde(default = "one")]
    pub weight: u32,
    /// Its part of the arrivals, relative to the other classes'.
    #[serde(default = "whole")]
    pub share: f64,
    /// Requests of it per second, beside the arrivals that are shared.
    #[serde(default)]
    pub rate: Option<f64>,
    /// After how long an answer is worthless: then it is shed where it waits.
    #[serde(default, with = "humantime_serde")]
    pub deadline: Option<Duration>,
}

/// A stretch of time with one rate; `until` in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// When it ends.
    pub until: u64,
    /// Arrivals per second.
    pub rate: f64,
}

fn one() -> u32 {
    1
}

fn whole() -> f64 {
    1.0
}

impl Default for ClassSpec {
    fn default() -> Self {
        let name = "default".to_owned();
        Self { name, weight: one(), share: whole(), rate: None, deadline: None }
    }
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
        match (self.process, self.on, self.off, self.times.last()) {
            (Process::OnOff, Some(on), Some(off), _) => {
                rate * on.as_secs_f64() / (on + off).as_secs_f64()
            }
            (Process::Trace, _, _, Some(last)) => self.times.len() as f64 / last,
            _ => rate,
        }
    }

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
        self.times.iter_mut().for_each(|time| *time /= factor);
    }

    pub(super) fn load(
        &mut self,
        read: &dyn Fn(&Path) -> Result<String, SpecError>,
    ) -> Result<(), SpecError> {
        if let Some(trace) = &self.trace {
            self.times = numbers(&read(trace)?, "arrivals.trace")?;
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        for stretch in self.rates()? {
            check_rate("arrivals.rate", stretch.rate)?;
        }
        match self.process {
            Process::OnOff => {
                for (key, length) in [("arrivals.on", self.on), ("arrivals.off", self.off)] {
                    if length.is_none_or(|length| length.is_zero()) {
                        return Err(SpecError::value(key, "none", "a length like 500ms"));
                    }
                }
            }
            Process::Trace => {
                let mut last = 0.0;
                for time in &self.times {
                    if *time < last || !time.is_finite() {
                        return Err(SpecError::value("arrivals.trace", time, "ascending times"));
                    }
                    last = *time;
                }
            }
            Process::Poisson | Process::Uniform => {}
        }
        Ok(())
    }
}

impl ClassSpec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let key = |name: &str| format!("class.{}.{name}", self.name);
        if !(0.0..=1e6).contains(&self.share) {
            return Err(SpecError::value(key("share"), self.share, "0 to 1000000"));
        }
        self.rate.map_or(Ok(()), |rate| check_rate(&key("rate"), rate))
    }
}

/// Ten million a second: beyond it a stretch of seconds takes minutes.
fn check_rate(key: &str, rate: f64) -> Result<(), SpecError> {
    if (0.0..=1e7).contains(&rate) {
        return Ok(());
    }
    Err(SpecError::value(key, rate, "0 to 10000000 per second"))
}

fn parse_profile(text: &str) -> Result<Vec<Stretch>, SpecError> {
    let bad = |part: &str| {
        SpecError::value("arrivals.profile", part, "RATE/s:LENGTH, several separated by commas")
    };
    let mut until = 0_u64;
    let mut stretches = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (rate, length) = part.split_once("/s:").ok_or_else(|| bad(part))?;
        let rate: f64 = rate.trim().parse().map_err(|_| bad(part))?;
        let length = humantime::parse_duration(length.trim()).map_err(|_| bad(part))?;
        until = until.saturating_add(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX));
        stretches.push(Stretch { until, rate });
    }
    Ok(stretches)
}

/// The rates of one class: its part of `rates`, times the floods of it.
pub fn stretches(rates: &[Stretch], part: f64, class: &str, faults: &[Fault]) -> Vec<Stretch> {
    let floods: Vec<(u64, u64, f64)> = faults
        .iter()
        .filter_map(|fault| match fault {
            Fault::Flood { class: flooded, factor, from, to } if flooded == class => {
                Some((from.as_nanos() as u64, to.as_nanos() as u64, *factor))
            }
            _ => None,
        })
        .collect();
    let mut ends: Vec<u64> = rates.iter().map(|stretch| stretch.until).collect();
    ends.extend(floods.iter().flat_map(|(from, to, _)| [*from, *to]));
    if let Some(last) = rates.last().copied() {
        ends.push(u64::MAX);
        ends.sort_unstable();
        ends.dedup();
        let mut from = 0;
        let stretch = |until: u64| {
            let at = rates.iter().find(|stretch| from < stretch.until).unwrap_or(&last);
            let on = floods.iter().filter(|flood| flood.0 <= from && from < flood.1);
            let factor: f64 = on.map(|flood| flood.2).product();
            from = until;
            Stretch { until, rate: at.rate * part * factor }
        };
        return ends.into_iter().filter(|end| *end > 0).map(stretch).collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_multiplies_the_rate_of_its_class_for_its_time() {
        let rates = parse_profile("100/s:2s, 50/s:8s").unwrap();
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
        let flood = Fault::Flood { class: "basic".to_owned(), factor: 10.0, from, to };
        let basic: Vec<f64> = stretches(&rates, 0.5, "basic", std::slice::from_ref(&flood))
            .iter()
            .map(|s| s.rate)
            .collect();
        assert_eq!(basic, [50.0, 500.0, 250.0, 25.0, 25.0]);
        let gold: Vec<f64> =
            stretches(&rates, 0.5, "gold", &[flood]).iter().map(|s| s.rate).collect();
        assert_eq!(gold, [50.0, 25.0, 25.0]);
    }
}
