//! The best queue for a stage's lanes: a `VecDeque` under one lock, or a channel.
//!
//! `cargo bench -p benches --bench queue` runs one producer and one consumer, four of each, and
//! four of each on a single core, with batches of 1, 8 and 32 and events of 8 and 64 bytes. Every
//! queue is bounded at 1,024. A thread that finds it full or empty yields and looks again, as a
//! worker does before it parks. A figure covers the push and the pull of one event.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark measures wall time with threads of its own, and ends if its setup fails"
)]

use benches::pin;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread::{self, yield_now};
use std::time::{Duration, Instant};

const BOUND: usize = 1_024;
/// Events per measured run: enough to make the start of the threads negligible.
const EVENTS: u64 = 1 << 16;

/// A bounded queue of events of `W` words, used in batches. Events beyond its bound stay in the
/// batch of the push.
trait Queue<const W: usize>: Send + Sync {
    fn push(&self, batch: &mut Vec<[u64; W]>);
    fn pull(&self, most: usize, into: &mut Vec<[u64; W]>);
}

/// A lane as in a stage: one lock for a whole batch.
struct Lane<const W: usize>(Mutex<VecDeque<[u64; W]>>);

impl<const W: usize> Queue<W> for Lane<W> {
    fn push(&self, batch: &mut Vec<[u64; W]>) {
        let mut lane = self.0.lock();
        let room = BOUND.saturating_sub(lane.len()).min(batch.len());
        lane.extend(batch.drain(..room));
    }

    fn pull(&self, most: usize, into: &mut Vec<[u64; W]>) {
        let mut lane = self.0.lock();
        let n = lane.len().min(most);
        into.extend(lane.drain(..n));
    }
}

impl<const W: usize> Queue<W>
    for (crossbeam_channel::Sender<[u64; W]>, crossbeam_channel::Receiver<[u64; W]>)
{
    fn push(&self, batch: &mut Vec<[u64; W]>) {
        push_each(batch, |event| self.0.try_send(event).is_ok());
    }

    fn pull(&self, most: usize, into: &mut Vec<[u64; W]>) {
        into.extend(self.1.try_iter().take(most));
    }
}

impl<const W: usize> Queue<W> for (flume::Sender<[u64; W]>, flume::Receiver<[u64; W]>) {
    fn push(&self, batch: &mut Vec<[u64; W]>) {
        push_each(batch, |event| self.0.try_send(event).is_ok());
    }

    fn pull(&self, most: usize, into: &mut Vec<[u64; W]>) {
        into.extend(self.1.try_iter().take(most));
    }
}

/// The receiver of the standard library's channel has a single owner, so a lock shares it.
impl<const W: usize> Queue<W> for (mpsc::SyncSender<[u64; W]>, Mutex<mpsc::Receiver<[u64; W]>>) {
    fn push(&self, batch: &mut Vec<[u64; W]>) {
        push_each(batch, |event| self.0.try_send(event).is_ok());
    }

    fn pull(&self, most: usize, into: &mut Vec<[u64; W]>) {
        into.extend(self.1.lock().try_iter().take(most));
    }
}

fn push_each<const W: usize>(batch: &mut Vec<[u64; W]>, mut push: impl FnMut([u64; W]) -> bool) {
    while let Some(event) = batch.pop() {
        if !push(event) {
            batch.push(event);
            return;
        }
    }
}

/// Sends at least `events` through the queue and returns the time for `events` of them.
fn run<const W: usize>(
    queue: &Arc<dyn Queue<W>>,
    threads: usize,
    batch: usize,
    events: u64,
) -> Duration {
    let each = events.div_ceil(threads as u64).next_multiple_of(batch as u64);
    let (all, received) = (each * threads as u64, Arc::new(AtomicU64::new(0)));
    let start = Arc::new(Barrier::new(2 * threads + 1));
    let mut handles = Vec::new();
    for _ in 0..threads {
        let (queue, start) = (Arc::clone(queue), Arc::clone(&start));
        handles.push(thread::spawn(move || {
            start.wait();
            for _ in 0..each / batch as u64 {
                let mut events = vec![[7; W]; batch];
                loop {
                    queue.push(&mut events);
                    if events.is_empty() {
                        break;
                    }
                    yield_now();
                }
            }
        }));
    }
    for _ in 0..threads {
        let (queue, start, received) =
            (Arc::clone(queue), Arc::clone(&start), Arc::clone(&received));
        handles.push(thread::spawn(move || {
            let mut events = Vec::with_capacity(batch);
            start.wait();
            while received.load(Ordering::Relaxed) < all {
                queue.pull(batch, &mut events);
                if events.is_empty() {
                    yield_now();
                } else {
                    received.fetch_add(events.len() as u64, Ordering::Relaxed);
                    black_box(&events);
                    events.clear();
                }
            }
        }));
    }
    start.wait();
    let began = Instant::now();
    handles.into_iter().for_each(|handle| handle.join().expect("no thread panics"));
    // Batches round the number of events up; the time is scaled back to `events`.
    began.elapsed().mul_f64(events as f64 / all as f64)
}

fn queues<const W: usize>() -> Vec<(&'static str, Arc<dyn Queue<W>>)> {
    let (std_sender, std_receiver) = mpsc::sync_channel(BOUND);
    vec![
        ("lane", Arc::new(Lane(Mutex::default()))),
        ("crossbeam", Arc::new(crossbeam_channel::bounded(BOUND))),
        ("flume", Arc::new(flume::bounded(BOUND))),
        ("std", Arc::new((std_sender, Mutex::new(std_receiver)))),
    ]
}

fn cases<const W: usize>(group: &mut BenchmarkGroup<'_, WallTime>, threads: usize) {
    for batch in [1, 8, 32] {
        for (name, queue) in queues::<W>() {
            let id = BenchmarkId::new(name, format!("{} bytes, batch {batch}", W * 8));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|runs| run(&queue, threads, batch, runs * EVENTS));
            });
        }
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let topologies =
        [("1P1C", 1, &[0, 1][..]), ("4P4C", 4, &[0, 1]), ("8 threads, 1 core", 4, &[0])];
    for (name, threads, cores) in topologies {
        pin(cores);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(EVENTS));
        group.sample_size(10).warm_up_time(Duration::from_millis(100));
        group.measurement_time(Duration::from_millis(400));
        cases::<1>(&mut group, threads);
        cases::<8>(&mut group, threads);
        group.finish();
    }
    criterion.final_summary();
}
