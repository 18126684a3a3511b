//! What lives outside one generation's graph.

use crate::fate::{Fates, Job};
use parking_lot::{Condvar, Mutex};
use seda_core::{Pending, Permits, Source};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) fates: Arc<Fates>,
    pub(crate) outside: Mutex<Vec<Outside>>,
    pub(crate) permits: Mutex<Vec<(usize, Permits<Job>)>>,
    pub(crate) sources: Mutex<Vec<Source<Job>>>,
    pub(crate) prison: Prison,
    pub(crate) clients: Clients,
    pub(crate) hosts: Hosts,
    /// Who goes on until when.
    pub(crate) watching_is_over: AtomicBool,
    pub(crate) sending_is_over: AtomicBool,
    pub(crate) completing_is_over: AtomicBool,
}

/// The threads that drive hosted workers.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// From now on they drop none.
    pub(crate) steady: Mutex<bool>,
    pub(crate) live: AtomicUsize,
}

/// An event that goes on outside.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) pending: Pending,
    pub(crate) job: Job,
    pub(crate) exits: Vec<crate::node::Exit>,
}

/// What clients were told.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub(crate) admitted: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) abandoned: AtomicU64,
}

/// Holds handlers up until they are released.
#[derive(Debug, Default)]
pub(crate) struct Prison {
    open: Mutex<bool>,
    opened: Condvar,
    pub(crate) stays: AtomicU64,
}

impl Prison {
    /// Stays until it is opened, a minute at most.
    pub(crate) fn stay(&self) {
        let mut open = self.open.lock();
        if !*open {
            self.stays.fetch_add(1, SeqCst);
            self.opened.wait_for(&mut open, Duration::from_secs(60));
        }
    }

    pub(crate) fn open(&self) {
        *self.open.lock() = true;
        self.opened.notify_all();
    }

    /// Lets out who is in, and takes others in again.
    pub(crate) fn amnesty(&self) {
        self.opened.notify_all();
    }
}

impl World {
    pub(crate) fn source(&self, to: usize) -> Option<Source<Job>> {
        self.sources.lock().get(to).cloned()
    }

    pub(crate) fn note(&self, sent: Result<(), Job>) {
        match sent {
            Ok(()) => self.note_accepted(1),
            Err(job) => {
                self.fates.refused.fetch_add(1, SeqCst);
                job.keep();
            }
        }
    }

    pub(crate) fn note_all(&self, n: usize, sent: Result<(), Vec<Job>>) {
        match sent {
            Ok(()) => self.note_accepted(n),
            Err(jobs) => {
                self.fates.refused.fetch_add(n as u64, SeqCst);
                jobs.into_iter().for_each(Job::keep);
            }
        }
    }

    fn note_accepted(&self, n: usize) {
        self.fates.accepted.fetch_add(n as u64, SeqCst);
    }

    /// Places were refused, before anything was made for them.
    pub(crate) fn note_all_refused(&self, n: usize) {
        self.fates.refused.fetch_add(n as u64, SeqCst);
    }

    /// Brings one deferred event back, in one of the ways there are.
    pub(crate) fn complete_one(&self, seed: u64) -> bool {
        let outside = self.outside.lock().pop();
        let Some(Outside { mut pending, mut job, exits }) = outside else { return false };
        job.bomb.0 = false;
        let reply = job.reply.take();
        match (seed % 4, reply) {
            (0, _) => return true,
            (1, Some(reply)) => reply.respond(seed),
            (_, reply) => {
                if let Some(exit) = exits.first() {
                    let child = Job::new(&self.fates, exit.to, 1, seed);
                    let sent = pending.send(&exit.sink, Job { reply, ..child });
                    self.note(sent.map_err(|refused| refused.into_event()));
                }
            }
        }
        pending.complete();
        true
    }
}
