//! The load without sockets and without a clock: it starts requests, abandons and retries attempts,
//! and counts outcomes.
//!
//! A driver passes the time and the ends of attempts to the engine; the engine passes attempts to a
//! [`Transport`]. So it runs on sockets, or on a virtual clock against the model of a server.

use super::attempt::{Attempt, Dispatch, End, Transport};
use super::rules::Rules;
use super::source::Source;
use super::tally::{Counted, Tally};
use crate::h1::Answer;
use crate::load::workload::PreparedTarget;
use crate::report::outcome::Outcome;
use rand_xoshiro::Xoshiro256PlusPlus;
use seda_core::Time;
use slab::Slab;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The share of one thread in the load.
#[derive(Debug)]
pub(crate) struct Engine {
    source: Source,
    targets: Arc<[PreparedTarget]>,
    rules: Rules,
    rng: Xoshiro256PlusPlus,
    tally: Tally,
    requests: Slab<Request>,
    /// Requests that pause before a retry, soonest first.
    pausing: BinaryHeap<Reverse<(Time, Attempt)>>,
    /// The deadlines of attempts. All attempts have the same time, so the deadlines are in order of
    /// the starts; those of ended attempts are skipped.
    deadlines: VecDeque<(Time, Attempt)>,
    generation: u32,
}

/// A request under way.
#[derive(Debug)]
struct Request {
    counted: Counted,
    target: u32,
    /// The generation of the current attempt, or of the one after the pause.
    generation: u32,
    /// The intended start of the current attempt.
    begun: Time,
    tried: u32,
    pausing: bool,
    /// The end of the last attempt; `None` before the first one has ended.
    last: Option<Outcome>,
}

impl Engine {
    pub(crate) fn new(
        source: Source,
        targets: Arc<[PreparedTarget]>,
        rules: Rules,
        tally: Tally,
        rng: Xoshiro256PlusPlus,
    ) -> Self {
        Self {
            source,
            targets,
            rules,
            rng,
            tally,
            requests: Slab::new(),
            pausing: BinaryHeap::new(),
            deadlines: VecDeque::new(),
            generation: 0,
        }
    }

    /// Returns when the engine has to act next without an answer; `None` if never.
    pub(crate) fn next_at(&self) -> Option<Time> {
        let pausing = self.pausing.peek().map(|Reverse((at, _))| *at);
        let deadline = self.deadlines.front().map(|(at, _)| *at);
        [self.source.next_at(), pausing, deadline].into_iter().flatten().min()
    }

    /// Returns true once every request has started and ended.
    pub(crate) fn is_done(&self) -> bool {
        self.requests.is_empty() && self.source.next_at().is_none()
    }

    /// Starts one request that is due, a retry before a new one; returns false if none is due.
    pub(crate) fn start_one(&mut self, now: Time, transport: &mut impl Transport) -> bool {
        if let Some(Reverse((due, attempt))) = self.pausing.peek().copied()
            && due <= now
        {
            self.pausing.pop();
            self.try_request(attempt, due, transport);
            return true;
        }
        let Some(arrival) = self.source.take(now) else {
            return false;
        };
        let label = self.targets.get(arrival.target as usize).map_or(0, |target| target.label);
        let counted = self.tally.scheduled(arrival.at, label, arrival.client, now);
        let generation = self.next_generation();
        let place = self.requests.insert(Request {
            counted,
            target: arrival.target,
            generation,
            begun: arrival.at,
            tried: 0,
            pausing: true,
            last: None,
        });
        // Far fewer requests than 2^32 fit into memory.
        let attempt = Attempt { place: place as u32, generation };
        self.try_request(attempt, arrival.at, transport);
        true
    }

    /// Abandons the attempts after their deadline.
    pub(crate) fn expire(&mut self, now: Time, transport: &mut impl Transport) {
        while let Some((at, attempt)) = self.deadlines.front().copied() {
            let waiting = self.is_waiting(attempt);
            if waiting && at > now {
                return;
            }
            self.deadlines.pop_front();
            if waiting {
                transport.abandon(attempt);
                self.time_out(attempt, now);
            }
        }
    }

    /// Handles the end of an attempt; one of an earlier attempt is ignored.
    pub(crate) fn ended(&mut self, attempt: Attempt, end: End, now: Time) {
        let Some((window, begun)) = self.waiting(attempt).map(|r| (r.counted.window, r.begun))
        else {
            return;
        };
        if let End::Answered { answer, sent } = end {
            self.tally.status(window, answer.status);
            if now.since(begun) > self.rules.deadline {
                self.time_out(attempt, now);
            } else {
                self.answered(attempt, answer, sent, now);
            }
        } else if let End::Failed(failure) = end {
            self.tally.failed(window, failure);
            let outcome =
                if failure.is_connect_failure() { Outcome::ConnectError } else { Outcome::Broken };
            self.end_or_retry(attempt, outcome, None, None, now);
        }
    }

    /// Ends the measured part at `end`, which lies in the future, and then the cool-down, as if the
    /// schedule had been that short.
    pub(crate) fn shorten(&mut self, end: Time) {
        let last = self.tally.shorten(end);
        self.source.end_at(last);
        self.rules.last_retry = self.rules.last_retry.min(last.after(self.rules.deadline));
    }

    /// Starts no further request, and no further retry: a request that waits for one ends as its
    /// last attempt did.
    pub(crate) fn stop(&mut self, now: Time) {
        self.source.stop();
        self.rules.retry.most = 0;
        self.pausing.clear();
        let tally = &mut self.tally;
        self.requests.retain(|_, request| {
            let Some(last) = request.last.filter(|_| request.pausing) else { return true };
            tally.ended(request.counted, last, None, now);
            false
        });
    }

    /// Ends the run at once: requests under way do not count as scheduled.
    pub(crate) fn abort(&mut self, now: Time) {
        self.stop(now);
        for request in self.requests.drain() {
            self.tally.unscheduled(request.counted, now);
        }
        self.pausing.clear();
        self.deadlines.clear();
    }

    /// Returns the counts.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the number of requests under way.
    pub(crate) fn under_way(&self) -> usize {
        self.requests.len()
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    fn try_request(&mut self, attempt: Attempt, begun: Time, transport: &mut impl Transport) {
        let Some(request) = self.requests.get_mut(attempt.place as usize) else {
            return;
        };
        if request.generation != attempt.generation {
            return;
        }
        (request.begun, request.pausing) = (begun, false);
        request.tried += 1;
        let dispatch = Dispatch { attempt, target: request.target, client: request.counted.client };
        self.tally.tried(request.counted.window);
        self.deadlines.push_back((begun.after(self.rules.deadline), attempt));
        transport.send(dispatch);
    }

    fn answered(&mut self, attempt: Attempt, answer: Answer, sent: Time, now: Time) {
        let Some(request) = self.waiting(attempt) else {
            return;
        };
        let Some(target) = self.targets.get(request.target as usize) else {
            return;
        };
        let response = now.since(request.counted.intended);
        let outcome = self.rules.classify(answer.status, target, response);
        let raw = Some(now.nanos_since(sent));
        self.end_or_retry(attempt, outcome, raw, answer.retry_after, now);
    }

    fn time_out(&mut self, attempt: Attempt, now: Time) {
        if let Some(window) = self.waiting(attempt).map(|request| request.counted.window) {
            self.tally.no_answer(window, "no answer before the deadline");
        }
        self.end_or_retry(attempt, Outcome::TimedOut, None, None, now);
    }

    fn end_or_retry(
        &mut self,
        attempt: Attempt,
        outcome: Outcome,
        raw: Option<u64>,
        retry_after: Option<Duration>,
        now: Time,
    ) {
        let place = attempt.place as usize;
        let may_retry = !matches!(outcome, Outcome::Good | Outcome::Late | Outcome::Wrong);
        let generation = self.next_generation();
        let Some(request) = self.requests.get_mut(place) else {
            return;
        };
        if may_retry
            && let Some(pause) = self.rules.retry.pause(request.tried, retry_after, &mut self.rng)
            && let due = now.after(pause.min(self.rules.deadline))
            && due <= self.rules.last_retry
        {
            (request.generation, request.pausing) = (generation, true);
            request.last = Some(outcome);
            let next = Attempt { generation, ..attempt };
            self.pausing.push(Reverse((due, next)));
            return;
        }
        let request = self.requests.remove(place);
        self.tally.ended(request.counted, outcome, raw, now);
        if let Some(client) = request.counted.client {
            self.source.ended(client, now);
        }
    }

    /// Returns the request of a current attempt; `None` if the attempt has ended.
    fn waiting(&self, attempt: Attempt) -> Option<&Request> {
        let request = self.requests.get(attempt.place as usize)?;
        (request.generation == attempt.generation && !request.pausing).then_some(request)
    }

    fn is_waiting(&self, attempt: Attempt) -> bool {
        self.waiting(attempt).is_some()
    }

    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
