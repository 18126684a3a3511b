//! One run: packets arrive on schedule, whatever becomes of those before.

use crate::network::{self, Packet, Written};
use crate::schedule::{self, Kind};
use seda::{Clock, Drained, Mode, Running, Time};
use std::error::Error;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// What is left in the queue of a run without control takes three seconds; this is a machine's
/// worst day.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

/// The router's stage at the end of a second.
pub(crate) struct Sample {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
}

/// What was seen of one run.
pub(crate) struct Run {
    pub(crate) seconds: u32,
    /// Packets that arrived; those that were refused at the entrance, or later by the router.
    pub(crate) offered: usize,
    pub(crate) refused: usize,
    pub(crate) samples: Vec<Sample>,
    /// Packets written to a neighbour, in order.
    pub(crate) written: Vec<Written>,
    pub(crate) drained: Drained,
}

impl Run {
    pub(crate) fn measure(
        rate: u32,
        seconds: u32,
        seed: u64,
        control: Mode,
    ) -> Result<Self, Box<dyn Error>> {
        let (tell, told) = mpsc::channel();
        let (running, packets) = network::start(control, tell)?;
        let pace = Pace { clock: running.clock(), start: running.clock().now() };
        let (mut offered, mut samples) = (0, Vec::new());
        for arrival in schedule::packets(rate, seconds, seed) {
            while samples.len() < arrival.at.as_secs() as usize {
                samples.push(Sample::take(&running)?);
            }
            let due = pace.wait_for(arrival.at);
            offered += 1;
            // A packet that is refused is lost, and counted by the graph.
            drop(packets.send(Packet { kind: arrival.kind, due }));
        }
        pace.wait_for(Duration::from_secs(seconds.into()));
        samples.push(Sample::take(&running)?);
        let drained = running.drain(DRAIN_LIMIT);
        let refused = drained.report.events.refused as usize;
        let written = told.try_iter().collect();
        Ok(Self { seconds, offered, refused, samples, written, drained })
    }

    /// How many packets were written in all.
    pub(crate) fn routed(&self) -> usize {
        self.written.len()
    }

    /// How many packets were written in each second in which packets arrived.
    pub(crate) fn routed_by_second(&self) -> Vec<usize> {
        let mut counts = vec![0; self.seconds as usize];
        for written in &self.written {
            if let Some(count) = counts.get_mut(written.at.as_secs_f64() as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// The time that a share of the packets of a kind took at most.
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

/// The schedule on the graph's clock.
struct Pace {
    clock: Arc<dyn Clock>,
    start: Time,
}

impl Pace {
    /// Sleeps until `at` after the start and returns that moment; at once if it has passed.
    #[expect(clippy::disallowed_methods, reason = "the source of packets is no worker")]
    fn wait_for(&self, at: Duration) -> Time {
        let due = self.start.after(at);
        std::thread::sleep(due.since(self.clock.now()));
        due
    }
}
