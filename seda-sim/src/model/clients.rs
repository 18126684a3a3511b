//! What becomes of each request: attempts, retries, patience. Each request is a client of its own,
//! or there are clients of a closed loop, who begin anew when they have thought.

use crate::base::rng::{Dice, Use};
use crate::base::time::nanos;
use crate::model::arrivals::{draw_class, shares};
use crate::model::build::Built;
use crate::model::job::{Answer, Ended, Job, Mailbox};
use crate::report::tally::{Asked, End, Tally};
use crate::spec::{ClientSpec, Spec};
use seda_core::{Address, Class, Home, Request, Route, Source, Terms};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A request that has not ended.
#[derive(Debug)]
struct Waiting {
    asked: Asked,
    /// The route of its way.
    route: Option<Route>,
    /// What a trace says that it demands, in nanoseconds.
    demand: u64,
    /// Attempts so far.
    attempts: u32,
    /// The attempt under way; none between two.
    open: Option<Arc<Request>>,
}

/// A place for a request; used again, it has another generation.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    waiting: Option<Waiting>,
}

pub(crate) struct Clients {
    spec: ClientSpec,
    /// Deadlines by class.
    deadlines: Vec<Option<Duration>>,
    source: Source<Job>,
    /// Where requests go from the first stage, each up to a probability, if that is known.
    routes: Vec<(f64, Route)>,
    mailbox: Arc<Mailbox>,
    home: Arc<dyn Home<Answer>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// When clients lose patience. All have the same, so the order is that of their attempts.
    patience: VecDeque<(u64, Address)>,
    /// When clients try again.
    retries: BinaryHeap<Reverse<(u64, u64, u32)>>,
    numbered: u64,
    /// When clients of a closed loop send their next request: when, and which.
    starts: BinaryHeap<Reverse<(u64, u32)>>,
    /// Of a closed loop's requests, by class.
    shares: Vec<f64>,
    dice: Dice,
    /// Retries, timeouts and requests of a closed loop.
    pub(crate) events: u64,
    arrived: Vec<(Address, Ended)>,
    pub(crate) tally: Tally,
}

impl Clients {
    pub(crate) fn new(spec: &Spec, seed: u64, built: &Built) -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let home = Arc::clone(&mailbox) as Arc<dyn Home<Answer>>;
        Self {
            spec: spec.client.clone(),
            deadlines: spec.classes.iter().map(|class| class.deadline).collect(),
            source: built.source.clone(),
            routes: built.routes.clone(),
            mailbox,
            home,
            slots: Vec::new(),
            free: Vec::new(),
            patience: VecDeque::new(),
            retries: BinaryHeap::new(),
            numbered: 0,
            starts: first_starts(&spec.client),
            shares: shares(spec),
            dice: Dice::new(seed, Use::Clients),
            events: 0,
            arrived: Vec::new(),
            tally: Tally::new(spec),
        }
    }

    /// A request comes; returns whether its first attempt was taken.
    pub(crate) fn start(&mut self, now: u64, class: usize, demand: u64) -> bool {
        self.begin(now, class, demand, None)
    }

    fn begin(&mut self, now: u64, class: usize, demand: u64, client: Option<u32>) -> bool {
        let (way, route) = self.draw_way().unzip();
        let asked = Asked { start: now, class, way, client };
        self.tally.begin(now, asked);
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        if let Some(slot) = self.slots.get_mut(place as usize) {
            let route = route.flatten();
            slot.waiting = Some(Waiting { asked, route, demand, attempts: 0, open: None });
        }
        self.attempt(now, place)
    }

    /// When something is due by itself.
    pub(crate) fn next_due(&mut self) -> Option<u64> {
        // Nobody is impatient about what has ended.
        while let Some((_, address)) = self.patience.front().copied() {
            if self.under_way(address).is_some() {
                break;
            }
            self.patience.pop_front();
        }
        let patience = self.patience.front().map(|(at, _)| *at);
        let retry = self.retries.peek().map(|Reverse((at, ..))| *at);
        let start = self.starts.peek().map(|Reverse((at, _))| *at);
        patience.into_iter().chain(retry).chain(start).min()
    }

    /// Does the first thing that is due at `now`; returns whether an attempt was taken, if one was
    /// made.
    pub(crate) fn act(&mut self, now: u64) -> Option<bool> {
        if let Some(Reverse((_, _, place))) = self.retries.peek().filter(|Reverse(r)| r.0 <= now) {
            let place = *place;
            self.retries.pop();
            self.events += 1;
            return Some(self.attempt(now, place));
        }
        if let Some(Reverse((_, client))) = self.starts.peek().filter(|Reverse(s)| s.0 <= now) {
            let client = *client;
            self.starts.pop();
            self.events += 1;
            let class = draw_class(&self.shares, &mut self.dice);
            return Some(self.begin(now, class, 0, Some(client)));
        }
        let (_, address) = *self.patience.front().filter(|(at, _)| *at <= now)?;
        self.patience.pop_front();
        if let Some(waiting) = self.under_way(address) {
            let request = waiting.open.take();
            if let Some(request) = request.filter(|_| self.spec.hangs_up) {
                request.abandon();
            }
            self.events += 1;
            self.end(now, address.slot, End::TimedOut);
        }
        None
    }

    /// Takes in what the graph has answered by `now`.
    pub(crate) fn collect(&mut self, now: u64) {
        let mut arrived = std::mem::take(&mut self.arrived);
        self.mailbox.collect(&mut arrived);
        for (address, ended) in arrived.drain(..) {
            if let Some(waiting) = self.under_way(address) {
                waiting.open = None;
                let end = match ended {
                    Ended::Answered(Answer::Done) => End::Answered,
                    Ended::Answered(Answer::Refused) => End::Refused,
                    Ended::Lost => End::Lost,
                };
                self.end(now, address.slot, end);
            }
        }
        self.arrived = arrived;
    }

    /// Which way a request goes, if that is known before: its number, and its route; none if it is
    /// answered by the first stage.
    fn draw_way(&mut self) -> Option<(usize, Option<Route>)> {
        if self.routes.is_empty() {
            return None;
        }
        let drawn = self.dice.unit();
        let way = self.routes.iter().position(|(until, _)| drawn < *until);
        let route = way.and_then(|way| self.routes.get(way)).map(|(_, route)| *route);
        Some((way.unwrap_or(self.routes.len()), route))
    }

    fn attempt(&mut self, now: u64, place: u32) -> bool {
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return true;
        };
        let Some(waiting) = &mut slot.waiting else {
            return true;
        };
        self.tally.attempts += 1;
        waiting.attempts += 1;
        let sequence = u64::from(waiting.attempts);
        let address = Address { slot: place, generation: slot.generation, sequence };
        let Asked { class, way, .. } = waiting.asked;
        let deadline = self.deadlines.get(class).copied().flatten();
        let class = Class::new(u8::try_from(class).unwrap_or(u8::MAX));
        let terms = Terms { class, deadline, route: waiting.route, ..Terms::default() };
        let demand = waiting.demand;
        let job = |reply| Job::new(reply, way, demand);
        match self.source.request_to(Arc::clone(&self.home), address, terms, job) {
            Ok(request) => {
                waiting.open = Some(request);
                if let Some(patience) = self.spec.gives_up_after {
                    self.patience.push_back((now.saturating_add(nanos(patience)), address));
                }
                true
            }
            Err(_) => {
                self.end(now, place, End::Refused);
                false
            }
        }
    }

    /// The request whose attempt this is, if that is still under way.
    fn under_way(&mut self, address: Address) -> Option<&mut Waiting> {
        let slot = self.slots.get_mut(address.slot as usize)?;
        let same = slot.generation == address.generation;
        let waiting = slot.waiting.as_mut().filter(|_| same)?;
        let current = u64::from(waiting.attempts) == address.sequence && waiting.open.is_some();
        current.then_some(waiting)
    }

    /// An attempt has ended, and with it the request, unless the client tries again.
    fn end(&mut self, now: u64, place: u32, end: End) {
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return;
        };
        let Some(waiting) = &slot.waiting else {
            return;
        };
        if end != End::Answered && waiting.attempts <= self.spec.retries {
            let pause = pause(&self.spec, waiting.attempts, end, &mut self.dice);
            self.retries.push(Reverse((now.saturating_add(pause), self.numbered, place)));
            self.numbered += 1;
            return;
        }
        let asked = waiting.asked;
        self.tally.end(now, asked, end);
        slot.waiting = None;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(place);
        if let Some(client) = asked.client {
            let next = now.saturating_add(nanos(self.spec.think));
            self.starts.push(Reverse((next, client)));
        }
    }
}

/// Spread evenly over the time that they think.
fn first_starts(spec: &ClientSpec) -> BinaryHeap<Reverse<(u64, u32)>> {
    let gap = spec.think.as_nanos() as f64 / f64::from(spec.clients.max(1));
    let start = |client: u32| Reverse(((gap * f64::from(client)) as u64, client));
    (0..spec.clients).map(start).collect()
}

/// "Full jitter" (Brooker 2015): evenly from zero to a bound that doubles.
fn pause(spec: &ClientSpec, attempts: u32, end: End, dice: &mut Dice) -> u64 {
    let doubled = spec.backoff.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let most = spec.most_backoff.map_or(doubled, |most| doubled.min(most));
    let own = (nanos(most) as f64 * dice.unit()) as u64;
    let asked = spec.retry_after.filter(|_| spec.honours_retry_after && end == End::Refused);
    own.max(nanos(asked.unwrap_or_default()))
}
