//! The route of requests that enter without a declared one, measured from the stages they visit.

use crate::platform::sync::{AtomicU64, Mutex, Ordering};
use crate::stats::Ewma;

/// The places of a measured route: a bit for each, beside [`REPORTED`].
pub(super) const MOST_PLACES: usize = 63;
/// The bit that is set once the visits of a request were reported.
const REPORTED: u64 = 1 << MOST_PLACES;
/// A request is refused on behalf of a stage that at least this part of its entry's requests visit.
/// A stage that fewer visit must not close the entry to the others: its own queue bounds it.
const MOST_VISIT: f64 = 0.9;
/// A stage stays on the route until a smaller part than this visits it: hysteresis against shares
/// that vary.
const STILL_VISIT: f64 = 0.8;
/// The answered requests that a first measurement needs: fewer cannot tell nine of ten.
const LEAST_ANSWERED: u64 = 10;
/// Smooths a share over as many requests as the cost model does.
const SMOOTHED: Ewma = Ewma::over(64.0);

/// The stages that one request has visited: a bit for each place on its route.
#[derive(Debug, Default)]
pub(crate) struct Visits(AtomicU64);

impl Visits {
    /// Notes a visit. Returns whether it is a new one that comes after the report of the others.
    fn note(&self, place: usize) -> bool {
        let bit = 1 << place;
        // Most visits after the first find their bit set; the load saves them a write.
        if self.0.load(Ordering::Relaxed) & bit != 0 {
            return false;
        }
        let before = self.0.fetch_or(bit, Ordering::Relaxed);
        before & bit == 0 && before & REPORTED != 0
    }

    /// Returns the visits so far.
    fn report(&self) -> u64 {
        self.0.fetch_or(REPORTED, Ordering::Relaxed) & !REPORTED
    }
}

/// The stages that the requests of one entry visit. It begins with the entry alone.
#[derive(Debug)]
pub(super) struct MeasuredRoute {
    entry: usize,
    /// A bit for each place where requests are charged.
    charged: AtomicU64,
    /// Answered requests since the last update.
    answered: AtomicU64,
    /// By place: the requests among them that have visited it.
    visited: Box<[AtomicU64]>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    answered: u64,
    /// By place: the part of the requests that visit it.
    shares: Box<[Option<f64>]>,
}

impl MeasuredRoute {
    /// Returns a route over `places`, of which `entry` is the place of the entry.
    pub(super) fn new(entry: usize, places: usize) -> Self {
        debug_assert!(entry < places && places <= MOST_PLACES, "a bit for each place");
        Self {
            entry,
            charged: AtomicU64::new(1 << entry),
            answered: AtomicU64::new(0),
            visited: (0..places).map(|_| AtomicU64::new(0)).collect(),
            known: Mutex::new(Known { answered: 0, shares: vec![None; places].into() }),
        }
    }

    /// Returns a bit for each place where requests are charged.
    pub(super) fn charged(&self) -> u64 {
        self.charged.load(Ordering::Relaxed)
    }

    /// Notes that a request visits a place.
    pub(super) fn visit(&self, visits: &Visits, place: usize) {
        if visits.note(place) {
            self.count(place);
        }
    }

    /// Counts an answered request, and the places that it has visited.
    pub(super) fn answered(&self, visits: &Visits) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let mut left = visits.report() & !(1 << self.entry);
        while left != 0 {
            self.count(left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }

    fn count(&self, place: usize) {
        if let Some(visited) = self.visited.get(place) {
            visited.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends a tick: its visits join the shares, and the shares decide where requests are charged.
    /// Returns whether that changed.
    pub(super) fn update(&self) -> bool {
        let answered = self.answered.swap(0, Ordering::Relaxed);
        if answered == 0 {
            return false;
        }
        let mut known = self.known.lock();
        known.answered = known.answered.saturating_add(answered);
        let believed = known.answered >= LEAST_ANSWERED;
        let before = self.charged();
        let mut charged = 1 << self.entry;
        for (place, (visited, share)) in self.visited.iter().zip(&mut known.shares).enumerate() {
            let part = visited.swap(0, Ordering::Relaxed) as f64 / answered as f64;
            let now = SMOOTHED.update(*share, part.min(1.0), answered as f64);
            *share = Some(now);
            let least = if before >> place & 1 == 1 { STILL_VISIT } else { MOST_VISIT };
            if believed && now >= least {
                charged |= 1 << place;
            }
        }
        self.charged.store(charged, Ordering::Relaxed);
        charged != before
    }
}

/// The edges between gates, for the places of measured routes.
pub(super) struct Links {
    /// By gate: the gates that its stages send to.
    next: Vec<Vec<usize>>,
    /// By gate: whether events enter there from outside.
    is_entry: Vec<bool>,
}

impl Links {
    /// Returns the edges as links between the gates of their stages.
    pub(super) fn new(gate_of: &[usize], edges: &[(Option<usize>, usize)]) -> Self {
        let mut links =
            Self { next: vec![Vec::new(); gate_of.len()], is_entry: vec![false; gate_of.len()] };
        for (from, to) in edges {
            let Some(to) = gate_of.get(*to).copied() else { continue };
            match from.map(|from| gate_of.get(from)) {
                None => links.is_entry.get_mut(to).into_iter().for_each(|is| *is = true),
                Some(from) => {
                    let next = from.and_then(|from| links.next.get_mut(*from));
                    next.into_iter().for_each(|next| next.push(to));
                }
            }
        }
        links
    }

    /// Returns the gates of the route of requests that enter at this one: the gate and, if it is an
    /// entry, those that it can reach, the nearest first and at most [`MOST_PLACES`].
    pub(super) fn reachable(&self, entry: usize) -> Vec<usize> {
        let mut found = vec![entry];
        if !self.is_entry.get(entry).is_some_and(|is| *is) {
            return found;
        }
        let mut seen = vec![false; self.next.len()];
        seen.get_mut(entry).into_iter().for_each(|seen| *seen = true);
        let mut expanded = 0;
        while let Some(gate) = found.get(expanded).copied() {
            expanded += 1;
            for next in self.next.get(gate).into_iter().flatten().copied() {
                let new = seen.get_mut(next).is_some_and(|seen| !std::mem::replace(seen, true));
                if new && found.len() < MOST_PLACES {
                    found.push(next);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A route over three places, entered at the second.
    fn route() -> MeasuredRoute {
        MeasuredRoute::new(1, 3)
    }

    /// Answers requests that visit these places, and ends the tick.
    fn answer(route: &MeasuredRoute, requests: usize, places: &[usize]) {
        for _ in 0..requests {
            let visits = Visits::default();
            places.iter().for_each(|place| route.visit(&visits, *place));
            route.answered(&visits);
        }
    }

    fn charged(route: &MeasuredRoute) -> [bool; 3] {
        route.update();
        [0, 1, 2].map(|place| route.charged() >> place & 1 == 1)
    }

    #[test]
    fn a_place_that_nine_of_ten_requests_visit_is_on_the_route() {
        let route = route();
        answer(&route, 9, &[1, 2]);
        assert_eq!(charged(&route), [false, true, false], "nine requests are too few");
        answer(&route, 900, &[1, 2]);
        answer(&route, 100, &[1, 0]);
        assert!(route.update());
        assert_eq!(charged(&route), [false, true, true]);
    }

    #[test]
    fn a_place_leaves_the_route_once_fewer_than_eight_of_ten_visit_it() {
        let route = route();
        answer(&route, 100, &[1, 2]);
        assert_eq!((charged(&route), route.update()), ([false, true, true], false));
        for _ in 0..100 {
            answer(&route, 85, &[1, 2]);
            answer(&route, 15, &[1]);
            assert_eq!(charged(&route), [false, true, true]);
        }
        for _ in 0..100 {
            answer(&route, 75, &[1, 2]);
            answer(&route, 25, &[1]);
            route.update();
        }
        assert_eq!(charged(&route), [false, true, false]);
    }

    #[test]
    fn a_request_counts_once_per_place_before_or_after_its_answer() {
        let route = route();
        for _ in 0..10 {
            let visits = Visits::default();
            [1, 2, 2].iter().for_each(|place| route.visit(&visits, *place));
            route.answered(&visits);
            [0, 0, 2].iter().for_each(|place| route.visit(&visits, *place));
        }
        let counts = || route.visited.iter().map(|n| n.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!(counts(), [10, 0, 10]);
        assert_eq!(charged(&route), [true, true, true]);
    }
}
