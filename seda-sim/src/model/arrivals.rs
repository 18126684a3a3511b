//! Streams of arrivals: times in nanoseconds, never descending, one stream for each class.

use crate::base::rng::{Purpose, Rng};
use crate::base::time::nanos;
use crate::spec::{Fault, Process, Spec, SpecError, Stretch, Trace, stretches};

/// A request that arrives. Arrivals are ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival {
    /// The time, in nanoseconds since the beginning of the run.
    pub(crate) at: u64,
    /// The index of its stream.
    pub(crate) stream: usize,
    /// The index of its class.
    pub(crate) class: usize,
    /// Its demand by a trace, in nanoseconds; 0 if the demand is drawn by its stage.
    pub(crate) demand: u64,
}

/// The arrivals of one class, or of a trace.
#[derive(Debug)]
pub(crate) struct Stream {
    number: usize,
    rng: Rng,
    class: ClassChoice,
    source: Source,
}

/// How an arrival gets its class.
#[derive(Debug)]
enum ClassChoice {
    /// All arrivals of the stream are of one class.
    Fixed(usize),
    /// The class of each arrival is drawn, by the classes' shares of 1.
    Drawn(Vec<f64>),
}

#[derive(Debug)]
enum Source {
    Drawn(Drawn),
    Recorded(Recorded),
}

/// An arrival of a source; both in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Draw {
    at: f64,
    demand: f64,
}

/// The arrivals of a trace.
#[derive(Debug)]
struct Recorded {
    trace: Trace,
    /// The index of the next arrival.
    next: usize,
    /// The beginning of this repetition, in seconds.
    began: f64,
    /// The length of a repetition, in seconds; `None` if the trace does not repeat.
    period: Option<f64>,
}

/// Arrivals drawn from rates.
///
/// A gap is drawn with mean one, in units of "one arrival", and paid off at the rate of each
/// stretch that it passes through. For exponential gaps this is the exact Poisson process for a
/// rate that changes. Uniform arrivals have gaps of exactly one.
#[derive(Debug)]
struct Drawn {
    process: Process,
    stretches: Vec<Stretch>,
    /// The index of the current stretch.
    stretch: usize,
    /// The time of the last arrival, in nanoseconds.
    now: f64,
    on_off: Option<OnOff>,
}

/// The state of an on/off source; times in nanoseconds.
#[derive(Debug)]
struct OnOff {
    mean_on: f64,
    mean_off: f64,
    is_on: bool,
    /// The time of the next change between on and off.
    toggles_at: f64,
}

/// Returns all streams of a spec: that of a trace, or one for each class's share of the arrivals;
/// one for each class's own rate; and one for each burst.
pub(crate) fn streams(spec: &Spec, seed: u64) -> Result<Vec<Stream>, SpecError> {
    let classes = spec.classes_or_default();
    let shares = shares(spec);
    let rates = spec.arrivals.rates()?;
    let is_traced = spec.arrivals.process == Process::Trace;
    let is_closed = spec.client.clients > 0;
    let mut streams = Vec::new();
    if is_traced {
        let source = Source::Recorded(Recorded::new(spec));
        let class = ClassChoice::Drawn(shares.clone());
        streams.push(Stream::new(seed, classes.len(), class, source));
    }
    for (index, class) in classes.iter().enumerate() {
        if !is_traced && !is_closed {
            let share = shares.get(index).copied().unwrap_or(0.0);
            let drawn = Drawn::new(spec, stretches(&rates, share, &class.name, &spec.faults));
            let class = ClassChoice::Fixed(index);
            streams.push(Stream::new(seed, index, class, Source::Drawn(drawn)));
        }
        if let Some(rate) = class.rate {
            let own = [Stretch { until: u64::MAX, rate }];
            let drawn = Drawn::poisson(stretches(&own, 1.0, &class.name, &spec.faults));
            let purpose = classes.len() + 1 + index;
            let class = ClassChoice::Fixed(index);
            streams.push(Stream::new(seed, purpose, class, Source::Drawn(drawn)));
        }
    }
    for (number, fault) in spec.faults.iter().enumerate() {
        if let Fault::Burst { class, .. } = fault {
            let index = classes.iter().position(|known| known.name == *class).unwrap_or(0);
            let rng = Rng::new(seed, Purpose::Burst(number));
            let source = Source::Drawn(Drawn::poisson(fault.burst()));
            streams.push(Stream { number: 0, rng, class: ClassChoice::Fixed(index), source });
        }
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.number = number;
    }
    Ok(streams)
}

impl Stream {
    fn new(seed: u64, purpose: usize, class: ClassChoice, source: Source) -> Self {
        Self { number: 0, rng: Rng::new(seed, Purpose::Arrivals(purpose)), class, source }
    }

    /// Returns the next arrival; `None` if there are no more.
    pub(crate) fn next(&mut self) -> Option<Arrival> {
        let Draw { at, demand } = match &mut self.source {
            Source::Drawn(drawn) => Draw { at: drawn.next(&mut self.rng)?, demand: 0.0 },
            Source::Recorded(recorded) => recorded.next()?,
        };
        let class = match &self.class {
            ClassChoice::Fixed(class) => *class,
            ClassChoice::Drawn(shares) => draw_class(shares, &mut self.rng),
        };
        Some(Arrival { at: at as u64, stream: self.number, class, demand: demand as u64 })
    }
}

/// Draws the index of a class, by the classes' shares of 1.
pub(crate) fn draw_class(shares: &[f64], rng: &mut Rng) -> usize {
    let drawn = rng.unit();
    let mut sum = 0.0;
    for (class, share) in shares.iter().enumerate() {
        sum += share;
        if drawn < sum {
            return class;
        }
    }
    // Rounding may leave the sum a little below 1.
    0
}

/// Returns the share of each class in all shared arrivals; they add up to 1.
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

    fn next(&mut self) -> Option<Draw> {
        if self.next >= self.trace.times.len() {
            // The end of the trace: repeat it, or stop.
            let period = self.period?;
            if period <= 0.0 {
                return None;
            }
            self.next = 0;
            self.began += period;
        }
        let at = self.began + self.trace.times.get(self.next)?;
        let demand = self.trace.demands.get(self.next).copied().unwrap_or(0.0);
        self.next += 1;
        Some(Draw { at: at * 1e9, demand: demand * 1e9 })
    }
}

impl Drawn {
    fn new(spec: &Spec, stretches: Vec<Stretch>) -> Self {
        let process = spec.arrivals.process;
        let on_off = (process == Process::OnOff).then(|| OnOff {
            mean_on: nanos(spec.arrivals.on.unwrap_or_default()) as f64,
            mean_off: nanos(spec.arrivals.off.unwrap_or_default()) as f64,
            is_on: false,
            toggles_at: 0.0,
        });
        Self { process, stretches, stretch: 0, now: 0.0, on_off }
    }

    fn poisson(stretches: Vec<Stretch>) -> Self {
        Self { process: Process::Poisson, stretches, stretch: 0, now: 0.0, on_off: None }
    }

    /// Returns the time of the next arrival, in nanoseconds.
    fn next(&mut self, rng: &mut Rng) -> Option<f64> {
        let mut owed = self.process.gap(|| rng.unit());
        loop {
            let stretch = self.stretches.get(self.stretch)?;
            let end = stretch.until as f64;
            let mut rate = stretch.rate / 1e9;
            let mut until = end;
            if let Some(on_off) = &mut self.on_off {
                on_off.advance(self.now, rng);
                if !on_off.is_on {
                    rate = 0.0;
                }
                until = end.min(on_off.toggles_at);
            }
            // At rate 0 the arrival is at infinity, which is not before the end.
            let at = self.now + owed / rate;
            if at < until {
                self.now = at;
                return Some(at);
            }
            if stretch.until == u64::MAX && stretch.rate <= 0.0 {
                return None;
            }
            // Pay off a part of the gap, and go on at the next rate.
            owed = (owed - (until - self.now) * rate).max(0.0);
            self.now = until;
            self.stretch += usize::from(until >= end);
        }
    }
}

impl OnOff {
    /// Changes between on and off if that is due at `now`.
    fn advance(&mut self, now: f64, rng: &mut Rng) {
        if self.toggles_at <= now {
            self.is_on = !self.is_on;
            let mean = if self.is_on { self.mean_on } else { self.mean_off };
            self.toggles_at = now + mean * rng.exponential();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of arrivals within some seconds.
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
    fn the_number_of_arrivals_is_the_rate_times_the_time() {
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
    fn a_class_without_a_share_has_no_arrivals_also_of_a_source_that_is_off_at_times() {
        let text = "arrivals = { rate = 9.0, process = 'on_off', on = '100ms', off = '300ms' }
            class = [{ name = 'some' }, { name = 'none', share = 0.0 }]
            [[stage]]\nname = 'a'\ncapacity = 1\ndemand = { kind = 'exponential', mean = '1ms' }";
        let spec: Spec = text.parse().unwrap();
        let mut streams = streams(&spec, 1).unwrap();
        assert!(streams[0].next().is_some() && streams[1].next().is_none());
    }

    #[test]
    fn a_burst_adds_its_own_arrivals_and_moves_no_other() {
        let text = "arrivals = { rate = 100.0 }\n[[stage]]\nname = 'a'\ncapacity = 1\n\
                    demand = { kind = 'deterministic', mean = '1ms' }";
        let alone: Spec = text.parse().unwrap();
        for (ramp, expected) in [(false, 4_000.0), (true, 2_000.0)] {
            let burst = format!(
                "\n[[fault]]\nkind = 'burst'\nclass = 'default'\nrate = 400.0\nramp = {ramp}\n\
                 from = '10s'\nto = '20s'"
            );
            let spec: Spec = (text.to_owned() + &burst).parse().unwrap();
            let mut both = streams(&spec, 1).unwrap();
            let mut others = streams(&alone, 1).unwrap();
            assert!((0..10_000).all(|_| both[0].next() == others[0].next()));
            let own: Vec<_> = std::iter::from_fn(|| both[1].next()).collect();
            let is_within = |a: &Arrival| (10_000_000_000..20_000_000_000).contains(&a.at);
            assert!(own.iter().all(is_within), "ramp {ramp}");
            assert!((own.len() as f64 / expected - 1.0).abs() < 0.1, "{}", own.len());
            // A ramp has three quarters of its arrivals in its middle half; a step has half.
            let middle = own.iter().filter(|a| (12_500_000_000..17_500_000_000).contains(&a.at));
            let middle = middle.count() as f64 / own.len() as f64;
            assert!((middle - if ramp { 0.75 } else { 0.5 }).abs() < 0.05, "{middle}");
        }
    }

    #[test]
    fn a_repeated_trace_begins_anew_a_mean_gap_behind_its_last_arrival() {
        let text = "arrivals = { process = 'trace', repeat = true }\n[[stage]]\nname = 'a'\n\
                    capacity = 1\ndemand = { kind = 'trace' }";
        let spec: Spec = toml::from_str(text).unwrap();
        let trace = Trace::new(vec![1.0, 2.0, 5.0], vec![0.1, 0.2, 0.3]);
        let spec = spec.with_trace(trace).scaled(2.0);
        let mut stream = streams(&spec, 1).unwrap().remove(0);
        let arrivals = std::iter::from_fn(|| stream.next()).take(5);
        let seconds: Vec<_> =
            arrivals.map(|a| (a.at as f64 / 1e9, a.demand as f64 / 1e9)).collect();
        assert_eq!(seconds, [(0.5, 0.1), (1.0, 0.2), (2.5, 0.3), (4.0, 0.1), (4.5, 0.2)]);
    }
}
