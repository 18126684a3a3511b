//! When requests come: streams of times in nanoseconds, one for each class, never descending.

use crate::base::rng::{Dice, Use};
use crate::base::time::nanos;
use crate::spec::{ClassSpec, Process, Spec, SpecError, Stretch, Trace, stretches};
use std::time::Duration;

/// A request that comes. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival {
    pub(crate) at: u64,
    /// The stream that it is of.
    pub(crate) stream: usize,
    pub(crate) class: usize,
    /// What a trace says that it demands, in nanoseconds.
    pub(crate) demand: u64,
}

/// The arrivals of one class, or of a trace.
#[derive(Debug)]
pub(crate) struct Stream {
    number: usize,
    dice: Dice,
    /// Its class; a trace draws one for each arrival, by the classes' shares.
    class: Option<usize>,
    shares: Vec<f64>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Drawn(Drawn),
    Recorded(Recorded),
}

#[derive(Debug)]
struct Recorded {
    trace: Trace,
    next: usize,
    /// Seconds at which this time round began, and how long each is if there is another.
    began: f64,
    period: Option<f64>,
}

/// Gaps are drawn in units of "one arrival" and paid off at the rate of each stretch that they
/// pass through: the exact Poisson process for a rate that changes.
#[derive(Debug)]
struct Drawn {
    process: Process,
    stretches: Vec<Stretch>,
    place: usize,
    now: f64,
    /// Mean lengths of an on/off source's stretches in nanoseconds, whether it is on, until when.
    on_off: Option<(f64, f64)>,
    on: bool,
    toggles: f64,
}

/// All streams of a spec.
pub(crate) fn streams(spec: &Spec, seed: u64) -> Result<Vec<Stream>, SpecError> {
    let default = [ClassSpec::default()];
    let classes = if spec.classes.is_empty() { &default[..] } else { &spec.classes };
    let shares = shares(spec);
    let rates = spec.arrivals.rates()?;
    let mut streams = Vec::new();
    let mut add = |class, purpose, source| {
        let dice = Dice::new(seed, Use::Arrivals(purpose));
        let number = streams.len();
        streams.push(Stream { number, dice, class, shares: shares.clone(), source });
    };
    if spec.arrivals.process == Process::Trace {
        add(None, classes.len(), Source::Recorded(Recorded::new(spec)));
    }
    for (index, class) in classes.iter().enumerate() {
        let share = shares.get(index).copied().unwrap_or(0.0);
        if spec.arrivals.process != Process::Trace && spec.client.clients == 0 {
            let parts = stretches(&rates, share, &class.name, &spec.faults);
            let source = Source::Drawn(Drawn::new(spec, parts));
            add(Some(index), index, source);
        }
        if let Some(rate) = class.rate {
            let own = [Stretch { until: u64::MAX, rate }];
            let mut drawn = Drawn::new(spec, stretches(&own, 1.0, &class.name, &spec.faults));
            (drawn.process, drawn.on_off) = (Process::Poisson, None);
            add(Some(index), classes.len() + 1 + index, Source::Drawn(drawn));
        }
    }
    Ok(streams)
}

impl Stream {
    /// The next arrival.
    pub(crate) fn next(&mut self) -> Option<Arrival> {
        let (at, demand) = match &mut self.source {
            Source::Drawn(drawn) => (drawn.next(&mut self.dice)?, 0.0),
            Source::Recorded(recorded) => {
                let (at, demand) = recorded.next()?;
                (at * 1e9, demand * 1e9)
            }
        };
        let class = self.class.unwrap_or_else(|| self.draw_class());
        Some(Arrival { at: at as u64, stream: self.number, class, demand: demand as u64 })
    }

    fn draw_class(&mut self) -> usize {
        draw_class(&self.shares, &mut self.dice)
    }
}

/// One of the classes, by their shares of 1.
pub(crate) fn draw_class(shares: &[f64], dice: &mut Dice) -> usize {
    let drawn = dice.unit();
    let mut sum = 0.0;
    let class = shares.iter().position(|share| {
        sum += share;
        drawn < sum
    });
    class.unwrap_or(0)
}

/// What of all shared arrivals each class has.
pub(crate) fn shares(spec: &Spec) -> Vec<f64> {
    let all: f64 = spec.classes.iter().map(|class| class.share).sum();
    match spec.classes.as_slice() {
        [] => vec![1.0],
        classes => classes.iter().map(|c| c.share / all.max(f64::MIN_POSITIVE)).collect(),
    }
}

impl Recorded {
    fn new(spec: &Spec) -> Self {
        let trace = spec.arrivals.recorded.clone();
        let period = spec.arrivals.repeat.then(|| trace.period());
        Self { trace, next: 0, began: 0.0, period }
    }

    /// When the next one comes, and what it demands; in seconds.
    fn next(&mut self) -> Option<(f64, f64)> {
        if self.next >= self.trace.times.len() {
            self.next = 0;
            self.began += self.period.filter(|period| *period > 0.0)?;
        }
        let at = self.began + self.trace.times.get(self.next)?;
        let demand = self.trace.demands.get(self.next).copied().unwrap_or(0.0);
        self.next += 1;
        Some((at, demand))
    }
}

impl Drawn {
    fn new(spec: &Spec, stretches: Vec<Stretch>) -> Self {
        let mean = |length: Option<Duration>| nanos(length.unwrap_or_default()) as f64;
        let on_off = (spec.arrivals.process == Process::OnOff)
            .then(|| (mean(spec.arrivals.on), mean(spec.arrivals.off)));
        let (process, place, now) = (spec.arrivals.process, 0, 0.0);
        Self { process, stretches, place, now, on_off, on: false, toggles: 0.0 }
    }

    fn next(&mut self, dice: &mut Dice) -> Option<f64> {
        let mut owed = match self.process {
            Process::Uniform => 1.0,
            _ => dice.exponential(),
        };
        loop {
            let stretch = self.stretches.get(self.place)?;
            if let Some((on, off)) = self.on_off.filter(|_| self.toggles <= self.now) {
                self.on = !self.on;
                let mean = if self.on { on } else { off };
                self.toggles = self.now + mean * dice.exponential();
            }
            let silent = self.on_off.is_some() && !self.on;
            let rate = if silent { 0.0 } else { stretch.rate / 1e9 };
            let end = stretch.until as f64;
            let until = if self.on_off.is_some() { end.min(self.toggles) } else { end };
            let at = self.now + owed / rate;
            // With nothing coming `at` is infinite: that is not before the end.
            if at < until {
                self.now = at;
                return Some(at);
            }
            if stretch.until == u64::MAX && rate == 0.0 && self.on_off.is_none() {
                return None;
            }
            owed = (owed - (until - self.now) * rate).max(0.0);
            self.now = until;
            self.place += usize::from(until >= end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(arrivals: &str, seconds: f64) -> usize {
        let text = format!(
            "arrivals = {arrivals}\n[[stage]]\nname = 'a'\ncapacity = 1\n\
             demand = {{ kind = 'deterministic', mean = '1ms' }}"
        );
        let spec: Spec = text.parse().unwrap();
        let mut stream = streams(&spec, 1).unwrap().remove(0);
        std::iter::from_fn(|| stream.next())
            .take_while(|arrival| arrival.at as f64 <= seconds * 1e9)
            .count()
    }

    #[test]
    fn as_many_come_as_the_rate_says() {
        let poisson = count("{ rate = 1000.0 }", 100.0) as f64;
        assert!((poisson / 1e5 - 1.0).abs() < 0.01, "{poisson}");
        assert_eq!(count("{ rate = 1000.0, process = 'uniform' }", 10.0), 10_000);
        let profile = count("{ profile = '100/s:10s,0/s:10s,1000/s:10s' }", 30.0) as f64;
        assert!((profile / 11_000.0 - 1.0).abs() < 0.03, "{profile}");
        let bursts = "{ rate = 1000.0, process = 'on_off', on = '100ms', off = '300ms' }";
        let bursts = count(bursts, 1000.0) as f64;
        assert!((bursts / 250_000.0 - 1.0).abs() < 0.05, "{bursts}");
    }

    #[test]
    fn a_trace_that_repeats_begins_anew_a_mean_gap_behind_its_last_arrival() {
        let text = "arrivals = { process = 'trace', repeat = true }\n[[stage]]\nname = 'a'\n\
                    capacity = 1\ndemand = { kind = 'trace' }";
        let spec: Spec = toml::from_str(text).unwrap();
        let trace = Trace::new(vec![1.0, 2.0, 5.0], vec![0.1, 0.2, 0.3]);
        let spec = spec.with_trace(trace).scaled(2.0);
        let mut stream = streams(&spec, 1).unwrap().remove(0);
        let came = std::iter::from_fn(|| stream.next()).take(5);
        let came: Vec<_> = came.map(|a| (a.at as f64 / 1e9, a.demand as f64 / 1e9)).collect();
        assert_eq!(came, [(0.5, 0.1), (1.0, 0.2), (2.5, 0.3), (4.0, 0.1), (4.5, 0.2)]);
    }
}
