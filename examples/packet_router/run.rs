//! One run: packets arrive on schedule, in an open loop.

use crate::network::{self, Packet, Written};
use crate::schedule::{self, Kind};
use seda::{Clock, Drained, Mode, Running, Time};
use std::error::Error;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// The limit of a drain. The full queue of a run without control takes three seconds; a slow
/// machine may take longer.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

/// The router's stage at the end of a second.
pub(crate) struct Sample {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
}

/// The measurements of one run.
pub(crate) struct Run {
    pub(crate) seconds: u32,
    /// Packets that arrived.
    pub(crate) offered: usize,
    /// Packets that were refused at the entry, or later by the router.
    pub(crate) refused: usize,
    pub(crate) samples: Vec<Sample>,
    /// Packets that were written to a neighbour, in order.
    pub(crate) written: Vec<Written>,
    pub(crate) drained: Drained,
}

impl Run {
    /// Runs the router once, with all controllers in the given mode.
    pub(crate) fn measure(
        rate: u32,
        seconds: u32,
        seed: u64,
        control: Mode,
    ) -> Result<Self, Box<dyn Error>> {
        let (sender, receiver) = mpsc::channel();
        let (running, packets) = network::start(control, sender)?;
        let pace = Pace { clock: running.clock(), start: running.clock().now() };
        let (mut offered, mut samples) = (0, Vec::new());
        for arrival in schedule::packets(rate, seconds, seed) {
            while samples.len() < arrival.at.as_secs() as usize {
                samples.push(Sample::take(&running)?);
            }
            let due = pace.wait_for(arrival.at);
            offered += 1;
            // A refused packet is lost; the graph counts it.
            drop(packets.send(Packet { kind: arrival.kind, due }));
        }
        pace.wait_for(Duration::from_secs(seconds.into()));
        samples.push(Sample::take(&running)?);
        let drained = running.drain(DRAIN_LIMIT);
        let refused = drained.report.events.refused as usize;
        let written = receiver.try_iter().collect();
        Ok(Self { seconds, offered, refused, samples, written, drained })
    }

    /// Returns the number of packets written.
    pub(crate) fn routed(&self) -> usize {
        self.written.len()
    }

    /// Returns the number of packets written, by second of the arrivals.
    pub(crate) fn routed_by_second(&self) -> Vec<usize> {
        let mut counts = vec![0; self.seconds as usize];
        for written in &self.written {
            if let Some(count) = counts.get_mut(written.at.as_secs_f64() as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Returns the latency within which a share of the packets of a kind was written.
    pub(crate) fn quantile(&self, kind: Kind, share: f64) -> Option<Duration> {
        let of_kind = self.written.iter().filter(|written| written.kind == kind);
        let mut latencies: Vec<_> = of_kind.map(|written| written.latency).collect();
        latencies.sort_unstable();
        let rank = (share * latencies.len() as f64).ceil() as usize;
        latencies.get(rank.saturating_sub(1)).copied()
    }
}

impl Sample {
    fn take(running: &Running) -> Result<Self, &'static str> {
        let stages = running.report().stages;
        let router = stages.into_iter().find(|stage| stage.name == "router");
        let router = router.ok_or("there is a stage `router`")?;
        Ok(Self { workers: router.workers.now, queue: router.queue.depth })
    }
}

/// The schedule of arrivals on the graph's clock.
struct Pace {
    clock: Arc<dyn Clock>,
    start: Time,
}

impl Pace {
    /// Sleeps until `at` after the start, unless that has passed, and returns that moment.
    #[expect(clippy::disallowed_methods, reason = "the source of packets is no worker")]
    fn wait_for(&self, at: Duration) -> Time {
        let due = self.start.after(at);
        std::thread::sleep(due.since(self.clock.now()));
        due
    }
}
