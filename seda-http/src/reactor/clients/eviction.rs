//! The choice of the connections that are closed for newcomers.

use super::client::Network;
use seda_core::Time;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A newcomer of a client with fewer connections than this may take the place of any idle one,
/// unless a client on another reactor has more than twice as many connections as the one that would
/// lose it. A browser opens six to one server, and an idle connection that is closed costs its
/// client a handshake.
const MODEST: usize = 8;

/// The room that newcomers need at the bound of connections, or without a free descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomRequest {
    /// The client of each newcomer with the number of its connections, the fewest first. Empty if
    /// only a descriptor is needed.
    accepted: Vec<(Network, usize)>,
    /// The most connections that a client has, on all reactors.
    most: usize,
}

impl RoomRequest {
    /// `most` is the number of connections of the client that has the most.
    pub(crate) fn for_accepted(mut accepted: Vec<(Network, usize)>, most: usize) -> Self {
        accepted.sort_by_key(|(_, connections)| *connections);
        Self { accepted, most }
    }

    pub(crate) fn for_a_descriptor() -> Self {
        Self { accepted: Vec::new(), most: 0 }
    }
}

/// What a connection that is closed would lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// No answer: it is idle, begins a request, or only ends.
    Nothing,
    /// The request that it sends, or the answer that it reads.
    Exchange,
}

/// A connection that may be closed for a newcomer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) slot: usize,
    pub(crate) loss: Loss,
    pub(crate) network: Network,
    /// The number of connections of its client.
    pub(crate) connections: usize,
    /// The begin of its wait.
    pub(crate) since: Time,
}

/// Returns the slots of the connections to close: of the client with the most connections first,
/// and of one client the longest wait first.
///
/// Connections without a request in progress go first. Only if there are none, one that sends a
/// request or reads an answer goes, and only if its client has more connections than the newcomer's
/// client will have; for a descriptor, more than a modest number.
pub(crate) fn choose(
    candidates: impl Iterator<Item = Candidate>,
    request: &RoomRequest,
) -> Vec<usize> {
    let (idle, busy): (Vec<_>, Vec<_>) =
        candidates.partition(|candidate| candidate.loss == Loss::Nothing);
    let mut idle = Clients::new(idle);
    let Some((client, connections)) = request.accepted.first() else {
        let slot = idle.take_longest_wait().or_else(|| {
            let mut busy = Clients::new(busy);
            let holds_many = busy.largest().is_some_and(|(_, most)| most > MODEST);
            holds_many.then(|| busy.take_longest_wait()).flatten()
        });
        return slot.into_iter().collect();
    };
    if idle.is_empty() {
        let mut busy = Clients::new(busy);
        let share = connections + 1;
        let victim = busy.largest().is_some_and(|(it, most)| it != *client && most > share);
        return victim.then(|| busy.take_longest_wait()).flatten().into_iter().collect();
    }
    // Each newcomer counts as a connection of its client once it has a place.
    let mut admitted: HashMap<Network, usize> = HashMap::new();
    let mut chosen = Vec::new();
    for (client, connections) in &request.accepted {
        let Some((largest, most)) = idle.largest() else { break };
        let admitted = admitted.entry(*client).or_default();
        let connections = connections + *admitted;
        if largest == *client {
            chosen.extend(idle.take_longest_wait());
        } else if (connections < most || connections < MODEST) && most >= request.most / 2 {
            chosen.extend(idle.take_longest_wait());
            *admitted += 1;
        }
    }
    chosen
}

/// Candidates by client. The client with the most connections is on top; among equals the one with
/// the longest wait.
struct Clients(BinaryHeap<(usize, Reverse<Time>, Network, Waits)>);

/// The candidates of one client, the longest wait last.
type Waits = Vec<(Reverse<Time>, usize)>;

impl Clients {
    fn new(candidates: Vec<Candidate>) -> Self {
        let mut clients: HashMap<Network, (usize, Waits)> = HashMap::new();
        for Candidate { slot, network, connections, since, .. } in candidates {
            let (_, waits) = clients.entry(network).or_insert((connections, Waits::new()));
            waits.push((Reverse(since), slot));
        }
        let mut heap = Self(BinaryHeap::with_capacity(clients.len()));
        for (network, (connections, mut waits)) in clients {
            waits.sort_unstable();
            heap.push(connections, network, waits);
        }
        heap
    }

    fn push(&mut self, connections: usize, network: Network, waits: Waits) {
        if let Some((since, _)) = waits.last() {
            self.0.push((connections, *since, network, waits));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the client with the most connections, and their number.
    fn largest(&self) -> Option<(Network, usize)> {
        self.0.peek().map(|(connections, _, network, _)| (*network, *connections))
    }

    /// Removes the longest wait of the client with the most connections; returns its slot.
    fn take_longest_wait(&mut self) -> Option<usize> {
        let (connections, _, network, mut waits) = self.0.pop()?;
        let (_, slot) = waits.pop()?;
        self.push(connections.saturating_sub(1), network, waits);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(slot: usize, client: u8, connections: usize, millis: u64) -> Candidate {
        Candidate {
            slot,
            loss: Loss::Nothing,
            network: network(client),
            connections,
            since: Time::from_nanos(millis * 1_000_000),
        }
    }

    fn network(client: u8) -> Network {
        Network::V4([192, 0, 2, client])
    }

    /// Chooses for newcomers of these clients with these numbers of connections.
    fn chosen(candidates: &[Candidate], accepted: &[(u8, usize)]) -> Vec<usize> {
        let accepted = accepted.iter().map(|(client, open)| (network(*client), *open));
        choose(candidates.iter().copied(), &RoomRequest::for_accepted(accepted.collect(), 0))
    }

    #[test]
    fn no_modest_client_loses_a_connection_while_another_reactor_has_those_of_a_greedy_one() {
        let candidates = [candidate(0, 1, 1, 0), candidate(1, 2, 20, 0)];
        let accepted = vec![(network(3), 0), (network(4), 0)];
        let request = RoomRequest::for_accepted(accepted, 20);
        assert_eq!(choose(candidates.into_iter(), &request), [1]);
    }

    #[test]
    fn the_longest_wait_of_the_client_with_the_most_connections_goes_first() {
        let candidates = [
            candidate(0, 1, 1, 0),
            candidate(1, 2, 3, 30),
            candidate(2, 2, 3, 20),
            candidate(3, 2, 3, 10),
            candidate(4, 3, 2, 5),
        ];
        assert_eq!(chosen(&candidates, &[(9, 0)]), [3]);
        // With two left each, the longest wait decides; with one left each, too.
        assert_eq!(chosen(&candidates, &[(9, 0); 9]), [3, 4, 2, 0, 1]);
        assert_eq!(choose(candidates.into_iter(), &RoomRequest::for_a_descriptor()), [3]);
    }

    #[test]
    fn a_client_with_many_connections_takes_places_of_its_own_alone() {
        let mut candidates = vec![candidate(0, 1, 1, 0), candidate(1, 2, 9, 0)];
        assert_eq!(chosen(&candidates, &[(2, 9)]), [1]);
        assert_eq!(chosen(&candidates, &[(2, 9), (2, 9)]), [1]);
        candidates.pop();
        assert!(chosen(&candidates, &[(2, 9)]).is_empty());
        // One with few takes any idle place.
        assert_eq!(chosen(&candidates, &[(2, 7)]), [0]);
    }

    #[test]
    fn a_request_in_progress_is_lost_only_for_a_client_with_fewer_connections() {
        let busy = |slot, connections| Candidate {
            loss: Loss::Exchange,
            ..candidate(slot, slot as u8, connections, 0)
        };
        assert_eq!(chosen(&[busy(1, 9), candidate(2, 2, 1, 0)], &[(3, 0)]), [2]);
        assert_eq!(chosen(&[busy(1, 3), busy(2, 2)], &[(3, 1)]), [1]);
        assert!(chosen(&[busy(1, 3), busy(2, 2)], &[(3, 2)]).is_empty());
        let for_a_descriptor = RoomRequest::for_a_descriptor();
        assert!(choose([busy(1, 3)].into_iter(), &for_a_descriptor).is_empty());
        assert_eq!(choose([busy(1, 9)].into_iter(), &for_a_descriptor).len(), 1);
    }
}
