//! A bounded queue in front of worker threads, as a careful engineer would build it by hand.

use crossbeam_channel::{Receiver, Sender, bounded};
use peers::burn;
use std::io;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// A request in the queue.
struct Job {
    demand: Duration,
    /// Wakes the handler.
    done: oneshot::Sender<()>,
}

/// An entry to the queue; clones share one queue.
#[derive(Clone)]
pub(crate) struct BoundedQueue(Sender<Job>);

/// The queue has no space, or its threads are gone.
pub(crate) struct Full;

impl BoundedQueue {
    /// Starts the threads. Beside the requests they work on, `limit` requests can wait.
    pub(crate) fn start(limit: usize, threads: usize) -> io::Result<Self> {
        let (queue, jobs) = bounded(limit);
        for n in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new().name(format!("burn-{n}")).spawn(move || serve(&jobs))?;
        }
        Ok(Self(queue))
    }

    /// Waits until a thread has done the work; refuses at once if the queue is full.
    pub(crate) async fn burn(&self, demand: Duration) -> Result<(), Full> {
        let (done, burned) = oneshot::channel();
        self.0.try_send(Job { demand, done }).map_err(|_| Full)?;
        burned.await.map_err(|_| Full)
    }
}

fn serve(jobs: &Receiver<Job>) {
    for Job { demand, done } in jobs {
        // A handler is dropped when its client disconnects; its work is then useless.
        if !done.is_closed() {
            burn(demand);
            let _ = done.send(());
        }
    }
}
