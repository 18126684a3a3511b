//! The steps of a case.

use crate::conservation::build::{NAMES, POOLS};
use crate::conservation::job::{ENTERED, ENTERING, Job, TURNED_AWAY};
use crate::conservation::plan::Plan;
use crate::conservation::rng::Rng;
use crate::conservation::settings::reconfigure;
use crate::conservation::world::{Deferred, HeldPermits, World};
use seda_core::{Class, Manual, ReplyAddress, ReplySink, SendOptions, Source};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    Send {
        to: usize,
        class: usize,
        deadline: Option<u8>,
        hops: u8,
        seed: u64,
    },
    SendAll {
        to: usize,
        class: usize,
        n: usize,
        seed: u64,
    },
    Request {
        to: usize,
        class: usize,
        deadline: Option<u8>,
        hops: u8,
        seed: u64,
        receiver: bool,
    },
    Reserve {
        to: usize,
        class: usize,
        n: usize,
    },
    UsePermits {
        at: usize,
        n: usize,
        seed: u64,
    },
    DropPermits {
        at: usize,
    },
    Turns(u8),
    /// Turns until no worker finds work.
    Rest,
    Advance(u8),
    Tick,
    Complete {
        at: usize,
        how: u8,
        seed: u64,
    },
    /// A client disconnects.
    Leave {
        at: usize,
    },
    Resize {
        pool: usize,
        workers: usize,
    },
    Soft {
        stage: usize,
        soft: usize,
    },
    /// New settings from a seed, legal or not.
    Reconfigure(u64),
}

/// Turns without an event begun after which a graph counts as resting. A turn may begin none
/// because its events have expired, or because a factory failed.
const QUIET_TURNS: usize = 4;
/// Events begun without a rest that are a fault. No case comes near this number.
const RESTLESS: usize = 100_000;

impl Step {
    pub(crate) fn take(
        &self,
        manual: &mut Manual,
        world: &Arc<World>,
        plan: &Plan,
    ) -> Result<(), String> {
        match *self {
            Step::Send { to, class, deadline, hops, seed } => {
                let entry = Entry::new(world, to, class, deadline);
                let sent = entry.source.send(entry.job(hops, seed));
                world.note(None, entry.to, entry.class, sent.map_err(|r| r.into_event()));
            }
            Step::SendAll { to, class, n, seed } => {
                let entry = Entry::new(world, to, class, None);
                let jobs = (0..n).map(|k| entry.job(2, seed.wrapping_add(k as u64))).collect();
                let sent = entry.source.send_all(jobs).map_err(|refused| refused.into_event());
                world.note_all(None, (entry.to, entry.class, n), sent);
            }
            Step::Request { to, class, deadline, hops, seed, receiver } => {
                Entry::new(world, to, class, deadline).request(hops, seed, receiver);
            }
            Step::Reserve { to, class, n } => {
                let Entry { source, to, class, .. } = Entry::new(world, to, class, None);
                match source.reserve(n) {
                    Ok(permits) => {
                        world.permits.lock().push(HeldPermits { permits, from: None, to, class });
                    }
                    Err(_) => world.counts.lock().refused(None, to, class, n),
                }
            }
            Step::UsePermits { at, n, seed } => use_permits(world, at, n, seed),
            Step::DropPermits { at } => {
                let dropped = swap_remove(&mut world.permits.lock(), at);
                drop(dropped);
            }
            Step::Turns(n) => {
                let _begun: usize = (0..n).map(|_| manual.step()).sum();
            }
            Step::Rest => rest(manual)?,
            Step::Advance(millis) => world.clock.advance(Duration::from_millis(millis.into())),
            Step::Tick => manual.tick(),
            Step::Complete { at, how, seed } => complete(world, at, how, seed),
            Step::Leave { at } => world.clients.lock().leave(at),
            Step::Resize { pool, workers } => {
                let name = NAMES.iter().chain(&POOLS).nth(pool).copied().unwrap_or_default();
                manual.set_workers(name, workers);
            }
            Step::Soft { stage, soft } => {
                manual.set_soft_capacity(NAMES[stage], soft);
            }
            Step::Reconfigure(seed) => reconfigure(manual, plan, &mut Rng(seed))?,
        }
        manual.tell_owners();
        Ok(())
    }
}

/// Turns until no worker finds work.
pub(crate) fn rest(manual: &mut Manual) -> Result<(), String> {
    let (mut begun, mut quiet) = (0, 0);
    while quiet < QUIET_TURNS {
        let n = manual.step();
        quiet = if n == 0 { quiet + 1 } else { 0 };
        begun += n;
        if begun > RESTLESS {
            return Err("never comes to rest".to_owned());
        }
    }
    Ok(())
}

/// A source with its options.
struct Entry<'a> {
    world: &'a Arc<World>,
    source: Source<Job>,
    terms: SendOptions,
    to: usize,
    class: usize,
}

impl<'a> Entry<'a> {
    fn new(world: &'a Arc<World>, to: usize, class: usize, deadline: Option<u8>) -> Self {
        let sources = world.sources.lock();
        let to = to % sources.len();
        let deadline = deadline.map(|millis| Duration::from_millis(millis.into()));
        let terms =
            SendOptions { class: Class::new(class as u8), deadline, ..SendOptions::default() };
        let class = class.min(world.classes - 1);
        Self { world, source: sources[to].with_options(terms), terms, to, class }
    }

    fn job(&self, hops: u8, seed: u64) -> Job {
        let mut job = Job::new(self.world, self.to, self.class, hops, seed);
        job.fate.put_in_order(seed);
        job
    }

    fn request(&self, hops: u8, seed: u64, receiver: bool) {
        let entry_state = Arc::new(AtomicU8::new(ENTERING));
        let make = |reply| {
            let mut job = Job { reply: Some(reply), ..self.job(hops, seed) };
            job.fate.enter(&entry_state);
            job
        };
        let Entry { world, source, to, class, .. } = self;
        let admitted = if receiver {
            source.request(make).map(|receiver| world.clients.lock().with_receiver(receiver))
        } else {
            let (sequence, reply_box) = world.clients.lock().next();
            let address = ReplyAddress { sequence, ..ReplyAddress::default() };
            let request =
                source.request_to(reply_box as Arc<dyn ReplySink<u64>>, address, self.terms, make);
            request.map(|request| world.clients.lock().with_request(request))
        };
        let too_heavy = entry_state.swap(ENTERED, SeqCst) == TURNED_AWAY;
        if admitted.is_err() || too_heavy {
            world.counts.lock().refused(None, *to, *class, 1);
        } else {
            world.counts.lock().sent(None, *to, *class, 1);
        }
    }
}

fn use_permits(world: &Arc<World>, at: usize, n: usize, seed: u64) {
    let Some(mut placed) = swap_remove(&mut world.permits.lock(), at) else { return };
    let HeldPermits { permits, from, to, class } = &mut placed;
    let job = |k| Job::new(world, *to, *class, 3, seed.wrapping_add(k));
    if n == 1 && permits.left() == 0 {
        // Without a place the job is not offered to the stage.
        let Err(refused) = permits.send(job(0)) else { return };
        refused.into_event().keep();
    } else {
        for k in 0..n.min(permits.left()) {
            let sent = permits.send(job(k as u64)).map_err(|refused| refused.into_event());
            world.note(*from, *to, *class, sent);
        }
    }
    world.permits.lock().push(placed);
}

pub(crate) fn complete(world: &Arc<World>, at: usize, how: u8, seed: u64) {
    let Some(outside) = swap_remove(&mut world.outside.lock(), at) else { return };
    let Deferred { mut pending, mut job, stage, exits } = outside;
    job.panic_on_drop.0 = false;
    if how == 1
        && let Some(reply) = job.reply.take()
    {
        reply.respond(0);
    }
    if how == 2
        && let Some(exit) = exits.first()
    {
        let class = pending.meta().class().index();
        let child = Job { reply: job.reply.take(), ..Job::new(world, exit.to, class, 1, seed) };
        let sent = pending.send(&exit.sink, child).map_err(|refused| refused.into_event());
        world.note(Some(stage), exit.to, class, sent);
    }
    world.end(stage, pending.meta().class().index(), how > 0);
    if how > 0 {
        pending.complete();
    }
}

pub(crate) fn swap_remove<T>(things: &mut Vec<T>, at: usize) -> Option<T> {
    let n = things.len();
    (n > 0).then(|| things.swap_remove(at % n))
}
