//! The state of one generation outside its graph.

use crate::fate::{Exit, Fates, Job};
use parking_lot::{Condvar, Mutex};
use seda_core::{Pending, Permits, Source};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The state that the threads of a generation share.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) fates: Arc<Fates>,
    pub(crate) deferred: Mutex<Vec<Deferred>>,
    pub(crate) permits: Mutex<Vec<(usize, Permits<Job>)>>,
    pub(crate) sources: Mutex<Vec<Source<Job>>>,
    pub(crate) stall: Stall,
    pub(crate) clients: Clients,
    pub(crate) hosts: Hosts,
    /// Ends the scrapes and changes.
    pub(crate) watching_is_over: AtomicBool,
    /// Ends the load.
    pub(crate) sending_is_over: AtomicBool,
    /// Ends the completions of deferred events.
    pub(crate) completing_is_over: AtomicBool,
}

/// The threads that drive hosted workers.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// If true, no worker is dropped any more.
    pub(crate) steady: Mutex<bool>,
    pub(crate) live: AtomicUsize,
}

/// An event that a handler has deferred.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(crate) pending: Pending,
    pub(crate) job: Job,
    pub(crate) exits: Vec<Exit>,
}

/// Counts of the clients' requests.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub(crate) admitted: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) abandoned: AtomicU64,
}

/// Keeps handlers stuck until they are released.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    open: Mutex<bool>,
    opened: Condvar,
    pub(crate) stalls: AtomicU64,
}

impl Stall {
    /// Blocks until a release, a minute at most; not at all once it is open.
    pub(crate) fn wait(&self) {
        let mut open = self.open.lock();
        if !*open {
            self.stalls.fetch_add(1, SeqCst);
            self.opened.wait_for(&mut open, Duration::from_secs(60));
        }
    }

    /// Releases all waiting handlers and keeps no further ones.
    pub(crate) fn open(&self) {
        *self.open.lock() = true;
        self.opened.notify_all();
    }

    /// Releases all waiting handlers and goes on to keep others.
    pub(crate) fn release_waiting(&self) {
        self.opened.notify_all();
    }
}

impl World {
    pub(crate) fn source(&self, to: usize) -> Option<Source<Job>> {
        self.sources.lock().get(to).cloned()
    }

    /// Counts an event as accepted or refused.
    pub(crate) fn note(&self, sent: Result<(), Job>) {
        match sent {
            Ok(()) => self.note_accepted(1),
            Err(job) => {
                self.fates.refused.fetch_add(1, SeqCst);
                job.discard();
            }
        }
    }

    /// Counts `n` events that are accepted or refused together.
    pub(crate) fn note_all(&self, n: usize, sent: Result<(), Vec<Job>>) {
        match sent {
            Ok(()) => self.note_accepted(n),
            Err(jobs) => {
                self.fates.refused.fetch_add(n as u64, SeqCst);
                jobs.into_iter().for_each(Job::discard);
            }
        }
    }

    fn note_accepted(&self, n: usize) {
        self.fates.accepted.fetch_add(n as u64, SeqCst);
    }

    /// Counts `n` refused places; their events do not exist yet.
    pub(crate) fn note_all_refused(&self, n: usize) {
        self.fates.refused.fetch_add(n as u64, SeqCst);
    }

    /// Ends one deferred event: drops, answers, sends or completes it. False if there is none.
    pub(crate) fn complete_one(&self, seed: u64) -> bool {
        let deferred = self.deferred.lock().pop();
        let Some(Deferred { mut pending, mut job, exits }) = deferred else { return false };
        job.panics.0 = false;
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
