//! Clients: attempts, timeouts, retries.
//!
//! With an open load every request is a client of its own. In a closed loop a client sends its next
//! request when its last one has ended and its thinking time is over.

use super::arrivals::{draw_class, shares};
use super::build::{Built, KnownRoute};
use super::inside::{Counted, Inside};
use super::job::{AttemptEnd, Job, Mailbox};
use super::limiter::{Limiter, Outcome};
use super::reply::{Answer, Reply};
use super::tenants::TenantChoice;
use crate::base::rng::{Purpose, Rng};
use crate::base::time::nanos;
use crate::report::tally::{End, RequestInfo, Tally};
use crate::spec::{ClientSpec, Spec};
use seda_core::{Class, ReplyAddress, ReplySink, Request, Responder, Route, SendOptions, Source};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The clients of a run. All times are in nanoseconds.
pub(crate) struct Clients {
    spec: ClientSpec,
    /// By class.
    deadlines: Vec<Option<Duration>>,
    entry: Entry,
    mailbox: Arc<Mailbox>,
    /// The mailbox again, as the graph has it.
    reply_sink: Arc<dyn ReplySink<Answer>>,
    slots: Vec<Slot>,
    /// The indices of free slots.
    free: Vec<u32>,
    /// The timeouts of attempts. All have the same length, so a queue keeps them in order.
    timeouts: VecDeque<Timeout>,
    retries: Retries,
    /// The next requests of the clients of a closed loop.
    starts: BinaryHeap<Reverse<Start>>,
    /// The share of each class in the requests of a closed loop.
    shares: Vec<f64>,
    /// `None` if requests have no tenant.
    tenants: Option<TenantChoice>,
    rng: Rng,
    /// Retries, timeouts and requests of a closed loop in the whole run.
    pub(crate) events: u64,
    /// Reused by `collect`: the ends that it collects.
    ends: Vec<(ReplyAddress, AttemptEnd)>,
    pub(crate) tally: Tally,
}

/// The entry of the graph, and what stands before it.
struct Entry {
    source: Source<Job>,
    /// The routes from the first stage; empty if they are not known at the entry.
    routes: Vec<KnownRoute>,
    /// The requests inside the graph; `None` unless a demand depends on it.
    inside: Option<Inside>,
    limiter: Option<Limiter>,
}

/// The retries that are due later.
#[derive(Debug, Default)]
struct Retries {
    due: BinaryHeap<Reverse<Retry>>,
    /// The number of the next retry.
    next_number: u64,
}

/// The place of a request. Each use has another generation.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    pending: Option<PendingRequest>,
}

/// A request that has not ended.
#[derive(Debug)]
struct PendingRequest {
    info: RequestInfo,
    route: Option<Route>,
    /// The key of its tenant.
    tenant: Option<u64>,
    /// Its demand by a trace.
    demand: u64,
    /// Attempts so far.
    attempts: u32,
    /// The attempt under way; `None` before a retry.
    open: Option<Arc<Request>>,
}

/// The timeout of an attempt.
#[derive(Clone, Copy, Debug)]
struct Timeout {
    at: u64,
    attempt: ReplyAddress,
}

/// A retry that is due later. Retries at the same time are made in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Retry {
    at: u64,
    number: u64,
    slot: u32,
}

/// The next request of a client of a closed loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Start {
    at: u64,
    client: u32,
}

/// The route of a request from the first stage, drawn at the entry.
#[derive(Clone, Copy, Debug)]
struct DrawnRoute {
    /// The index of the route; one behind the last if the first stage answers.
    index: usize,
    /// `None` if the first stage answers.
    route: Option<Route>,
}

impl Clients {
    /// Returns the clients of a built graph, before their first requests.
    pub(crate) fn new(spec: &Spec, seed: u64, built: &Built) -> Self {
        let mailbox = Arc::new(Mailbox::default());
        let reply_sink = Arc::clone(&mailbox) as Arc<dyn ReplySink<Answer>>;
        Self {
            spec: spec.client.clone(),
            deadlines: spec.classes.iter().map(|class| class.deadline).collect(),
            entry: Entry {
                source: built.source.clone(),
                routes: built.routes.clone(),
                inside: built.inside.clone(),
                limiter: spec.client.limiter.as_ref().map(|limiter| Limiter::new(limiter, seed)),
            },
            mailbox,
            reply_sink,
            slots: Vec::new(),
            free: Vec::new(),
            timeouts: VecDeque::new(),
            retries: Retries::default(),
            starts: first_starts(&spec.client),
            shares: shares(spec),
            tenants: TenantChoice::of(spec, seed),
            rng: Rng::new(seed, Purpose::Clients),
            events: 0,
            ends: Vec::new(),
            tally: Tally::new(spec),
        }
    }

    /// Starts a request of an open load; returns whether its first attempt was accepted.
    pub(crate) fn start(&mut self, now: u64, class: usize, demand: u64) -> bool {
        self.begin(now, class, demand, None)
    }

    fn begin(&mut self, now: u64, class: usize, demand: u64, client: Option<u32>) -> bool {
        let drawn = self.draw_route();
        let index = drawn.map(|drawn| drawn.index);
        let route = drawn.and_then(|drawn| drawn.route);
        let tenant = self.tenants.as_mut().map(|tenants| tenants.draw(now));
        let (key, tenant) = tenant.map(|tenant| (tenant.key, tenant.index)).unzip();
        let latency = nanos(self.spec.latency);
        let info = RequestInfo { start: now, class, route: index, client, tenant, latency };
        self.tally.begin(now, info);
        let pending = PendingRequest { info, route, tenant: key, demand, attempts: 0, open: None };
        let slot = self.occupy_slot(pending);
        self.attempt(now, slot)
    }

    /// Puts a request into a free slot and returns the slot's index.
    fn occupy_slot(&mut self, pending: PendingRequest) -> u32 {
        let index = self.free.pop().unwrap_or(self.slots.len() as u32);
        match self.slots.get_mut(index as usize) {
            Some(slot) => slot.pending = Some(pending),
            None => self.slots.push(Slot { generation: 0, pending: Some(pending) }),
        }
        index
    }

    /// Returns the time of the next timeout, retry or request of a closed loop.
    pub(crate) fn next_due(&mut self) -> Option<u64> {
        // Attempts that have ended have no timeout any more.
        while let Some(timeout) = self.timeouts.front().copied()
            && self.under_way(timeout.attempt).is_none()
        {
            self.timeouts.pop_front();
        }
        let timeout = self.timeouts.front().map(|timeout| timeout.at);
        let retry = self.retries.due.peek().map(|Reverse(retry)| retry.at);
        let start = self.starts.peek().map(|Reverse(start)| start.at);
        timeout.into_iter().chain(retry).chain(start).min()
    }

    /// Does one thing that is due at `now`: a retry, else a request of a closed loop, else a
    /// timeout. Returns whether the attempt was accepted, or `None` if it made none.
    pub(crate) fn act(&mut self, now: u64) -> Option<bool> {
        if let Some(Reverse(retry)) = self.retries.due.peek().copied()
            && retry.at <= now
        {
            self.retries.due.pop();
            self.events += 1;
            return Some(self.attempt(now, retry.slot));
        }
        if let Some(Reverse(start)) = self.starts.peek().copied()
            && start.at <= now
        {
            self.starts.pop();
            self.events += 1;
            let class = draw_class(&self.shares, &mut self.rng);
            return Some(self.begin(now, class, 0, Some(start.client)));
        }
        if let Some(timeout) = self.timeouts.front().copied()
            && timeout.at <= now
        {
            self.timeouts.pop_front();
            self.time_out(now, timeout.attempt);
        }
        None
    }

    /// Gives up an attempt, unless it has ended already.
    fn time_out(&mut self, now: u64, attempt: ReplyAddress) {
        let Some(pending) = self.under_way(attempt) else {
            return;
        };
        if let Some(request) = pending.open.take()
            && self.spec.hangs_up
        {
            request.abandon();
            self.entry.leave(now, attempt, Outcome::Dropped);
        }
        self.events += 1;
        self.end(now, attempt.slot, End::TimedOut);
    }

    /// Ends the attempts that the graph has answered or lost by `now`.
    pub(crate) fn collect(&mut self, now: u64) {
        let mut ends = std::mem::take(&mut self.ends);
        self.mailbox.collect(&mut ends);
        for (attempt, end) in ends.drain(..) {
            let outcome = match end {
                AttemptEnd::Answered(Answer::Done) => Outcome::Answered,
                AttemptEnd::Answered(Answer::Refused) | AttemptEnd::Lost => Outcome::Dropped,
            };
            self.entry.leave(now, attempt, outcome);
            // An attempt that has timed out has ended already: ignore its answer.
            if let Some(pending) = self.under_way(attempt) {
                pending.open = None;
                let end = match end {
                    AttemptEnd::Answered(Answer::Done) => End::Answered,
                    AttemptEnd::Answered(Answer::Refused) => End::Refused,
                    AttemptEnd::Lost => End::Lost,
                };
                self.end(now, attempt.slot, end);
            }
        }
        self.ends = ends;
    }

    /// Draws the route of a request; `None` if routes are not known at the entry.
    fn draw_route(&mut self) -> Option<DrawnRoute> {
        if self.entry.routes.is_empty() {
            return None;
        }
        let drawn = self.rng.unit();
        let found = self.entry.routes.iter().enumerate().find(|(_, known)| drawn < known.until);
        Some(match found {
            Some((index, known)) => DrawnRoute { index, route: Some(known.route) },
            None => DrawnRoute { index: self.entry.routes.len(), route: None },
        })
    }

    /// Sends the request of a slot once more; returns whether it was accepted.
    fn attempt(&mut self, now: u64, index: u32) -> bool {
        let slot = self.slots.get_mut(index as usize);
        let Some(Slot { generation, pending: Some(pending) }) = slot else {
            debug_assert!(false, "an attempt is of a request that has not ended");
            return true;
        };
        // The sequence tells the attempts of one request apart.
        self.tally.attempt(pending.info);
        pending.attempts += 1;
        let sequence = u64::from(pending.attempts);
        let address = ReplyAddress { slot: index, generation: *generation, sequence };
        let RequestInfo { class, route, .. } = pending.info;
        let deadline = self.deadlines.get(class).copied().flatten();
        let class = Class::new(u8::try_from(class).unwrap_or(u8::MAX));
        let PendingRequest { route: known, tenant, .. } = *pending;
        let options =
            SendOptions { class, deadline, route: known, tenant, ..SendOptions::default() };
        let demand = pending.demand;
        let reply_sink = Arc::clone(&self.reply_sink);
        let sent = self.entry.send(now, reply_sink, address, options, |reply, counted| {
            Job::new(Reply::Own(reply), route, demand, counted)
        });
        let Some(request) = sent else {
            self.end(now, index, End::Refused);
            return false;
        };
        pending.open = Some(request);
        if let Some(timeout) = self.spec.gives_up_after {
            let at = now.saturating_add(nanos(timeout));
            self.timeouts.push_back(Timeout { at, attempt: address });
        }
        true
    }

    /// Returns the request of an attempt, if that attempt is under way.
    fn under_way(&mut self, attempt: ReplyAddress) -> Option<&mut PendingRequest> {
        let slot = self.slots.get_mut(attempt.slot as usize)?;
        if slot.generation != attempt.generation {
            return None;
        }
        let pending = slot.pending.as_mut()?;
        let is_current = u64::from(pending.attempts) == attempt.sequence;
        (is_current && pending.open.is_some()).then_some(pending)
    }

    /// Ends an attempt, and with it the request, unless the client retries.
    fn end(&mut self, now: u64, index: u32, end: End) {
        let slot = self.slots.get_mut(index as usize);
        let Some(Slot { generation, pending: slot }) = slot else {
            debug_assert!(false, "an end is of a request in a slot");
            return;
        };
        let Some(pending) = slot else {
            debug_assert!(false, "an end is of a request that has not ended");
            return;
        };
        // The request goes on if the client retries.
        if end != End::Answered && pending.attempts <= self.spec.retries {
            let pause = pause(&self.spec, pending.attempts, end, &mut self.rng);
            let at = now.saturating_add(pause);
            self.retries.push(at, index);
            return;
        }
        // The request is over: free its slot, with the next generation.
        let info = pending.info;
        self.tally.end(now, info, end);
        *slot = None;
        *generation = generation.wrapping_add(1);
        self.free.push(index);
        // A client of a closed loop thinks, then sends its next request.
        if let Some(client) = info.client {
            let at = now.saturating_add(nanos(self.spec.think));
            self.starts.push(Reverse(Start { at, client }));
        }
    }
}

impl Entry {
    /// Sends an attempt into the graph; `None` if the limiter or the graph refuses it.
    fn send(
        &mut self,
        now: u64,
        reply_sink: Arc<dyn ReplySink<Answer>>,
        attempt: ReplyAddress,
        options: SendOptions,
        job: impl FnOnce(Responder<Answer>, Option<Counted>) -> Job,
    ) -> Option<Arc<Request>> {
        if let Some(limiter) = &mut self.limiter
            && !limiter.admit(now, attempt)
        {
            return None;
        }
        let inside = &self.inside;
        let sent = self.source.request_to(reply_sink, attempt, options, |reply| {
            job(reply, inside.as_ref().map(Inside::enter))
        });
        if sent.is_err() {
            self.leave(now, attempt, Outcome::Dropped);
        }
        sent.ok()
    }

    /// Tells the limiter that an attempt has ended.
    fn leave(&mut self, now: u64, attempt: ReplyAddress, outcome: Outcome) {
        if let Some(limiter) = &mut self.limiter {
            limiter.end(now, attempt, outcome);
        }
    }
}

impl Retries {
    fn push(&mut self, at: u64, slot: u32) {
        self.due.push(Reverse(Retry { at, number: self.next_number, slot }));
        self.next_number += 1;
    }
}

/// Returns the first requests of a closed loop, spread evenly over the thinking time.
fn first_starts(spec: &ClientSpec) -> BinaryHeap<Reverse<Start>> {
    let gap = spec.think.as_nanos() as f64 / f64::from(spec.clients.max(1));
    (0..spec.clients)
        .map(|client| Reverse(Start { at: (gap * f64::from(client)) as u64, client }))
        .collect()
}

/// Returns the pause before a retry, in nanoseconds: evenly drawn from zero to a bound that doubles
/// ("full jitter", Brooker 2015), and as long as a refusal asks for.
fn pause(spec: &ClientSpec, attempts: u32, end: End, rng: &mut Rng) -> u64 {
    let doubled = spec.backoff.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let bound = spec.most_backoff.map_or(doubled, |most| doubled.min(most));
    let own = (nanos(bound) as f64 * rng.unit()) as u64;
    match spec.retry_after {
        Some(retry_after) if spec.honours_retry_after && end == End::Refused => {
            own.max(nanos(retry_after))
        }
        _ => own,
    }
}
