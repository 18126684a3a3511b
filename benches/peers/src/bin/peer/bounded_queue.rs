//! What a careful engineer would build by hand: a bounded queue in front of threads that burn.

use crossbeam_channel::{Receiver, Sender, bounded};
use peers::burn;
use std::io;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// A request's demand, and where its handler waits.
type Job = (Duration, oneshot::Sender<()>);

/// A way into the queue; all of them lead to the same.
#[derive(Clone)]
pub(crate) struct BoundedQueue(Sender<Job>);

/// There is no place in the queue, or nobody serves it.
pub(crate) struct Full;

impl BoundedQueue {
    /// Starts the threads. Beside what they burn, `limit` requests can wait.
    pub(crate) fn start(limit: usize, threads: usize) -> io::Result<Self> {
        let (queue, jobs) = bounded(limit);
        for n in 0..threads {
            let jobs = jobs.clone();
            thread::Builder::new().name(format!("burn-{n}")).spawn(move || serve(&jobs))?;
        }
        Ok(Self(queue))
    }

    /// Burns in its turn, or refuses at once.
    pub(crate) async fn burn(&self, demand: Duration) -> Result<(), Full> {
        let (done, burned) = oneshot::channel();
        self.0.try_send((demand, done)).map_err(|_| Full)?;
        burned.await.map_err(|_| Full)
    }
}

fn serve(jobs: &Receiver<Job>) {
    for (demand, done) in jobs {
        // The handler of a client that has gone is gone too: nobody wants this any more.
        if !done.is_closed() {
            burn(demand);
            let _ = done.send(());
        }
    }
}
