//! The choice of the uploads that end when the memory of bodies is used up.

use super::client::Network;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

/// An upload without a byte for this time is stalled: it has no claim to memory that another one
/// needs. Senders on a slow network pause for less.
const STALLED: Duration = Duration::from_secs(1);

/// The memory that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemoryRequest {
    /// Bytes that are missing.
    pub(crate) bytes: usize,
    /// The client that needs them.
    pub(crate) network: Network,
    /// The bytes that the client would hold.
    pub(crate) of_client: usize,
}

/// An upload in progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upload {
    pub(crate) slot: usize,
    pub(crate) network: Network,
    /// The bytes that its client holds in all.
    pub(crate) of_client: usize,
    /// The bytes that its end frees.
    pub(crate) bytes: usize,
    /// The mean rate so far, in bytes a second.
    pub(crate) rate: u64,
    /// The time since its last byte.
    pub(crate) silence: Duration,
}

/// Returns the slots of the uploads that end, so that `request.bytes` are free: of the client with
/// the most bytes first, and of one client the slowest first. Returns none if that does not free
/// enough.
///
/// An upload ends if its client holds more bytes than the requesting one would, or if it is
/// stalled. Their number has no bound: many small uploads would shield the large ones of a client.
pub(crate) fn choose(uploads: Vec<Upload>, request: MemoryRequest) -> Vec<usize> {
    let mut clients = Clients::new(uploads);
    let mut missing = request.bytes;
    let mut chosen = Vec::new();
    while missing > 0 {
        let Some(ended) = clients.take_next(request) else { return Vec::new() };
        missing = missing.saturating_sub(ended.bytes);
        chosen.push(ended.slot);
    }
    chosen
}

/// Uploads by client. The client with the most bytes is on top; among equals the one with the
/// slowest upload.
struct Clients(BinaryHeap<(usize, Reverse<u64>, Network, Vec<Candidate>)>);

/// An upload of one client. The slowest one is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rate: Reverse<u64>,
    slot: usize,
    bytes: usize,
    is_stalled: bool,
}

impl Clients {
    fn new(uploads: Vec<Upload>) -> Self {
        let mut clients: HashMap<Network, (usize, Vec<Candidate>)> = HashMap::new();
        for Upload { slot, network, of_client, bytes, rate, silence } in uploads {
            let (_, candidates) = clients.entry(network).or_insert((of_client, Vec::new()));
            let (rate, is_stalled) = (Reverse(rate), silence >= STALLED);
            candidates.push(Candidate { rate, slot, bytes, is_stalled });
        }
        let mut heap = Self(BinaryHeap::with_capacity(clients.len()));
        for (network, (of_client, mut candidates)) in clients {
            candidates.sort_unstable();
            heap.push(of_client, network, candidates);
        }
        heap
    }

    fn push(&mut self, of_client: usize, network: Network, candidates: Vec<Candidate>) {
        if let Some(slowest) = candidates.last() {
            self.0.push((of_client, slowest.rate, network, candidates));
        }
    }

    /// Removes the next upload that may end for `request`.
    fn take_next(&mut self, request: MemoryRequest) -> Option<Candidate> {
        while let Some((of_client, _, network, mut candidates)) = self.0.pop() {
            let is_greedier = network != request.network && of_client > request.of_client;
            // The other uploads of a client that is not greedier stay: it only holds less later.
            while let Some(ended) = candidates.pop() {
                if ended.bytes > 0 && (is_greedier || ended.is_stalled) {
                    self.push(of_client.saturating_sub(ended.bytes), network, candidates);
                    return Some(ended);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(slot: usize, client: u8, of_client: usize, rate: u64) -> Upload {
        let network = Network::V4([192, 0, 2, client]);
        Upload { slot, network, of_client, bytes: 10, rate, silence: Duration::ZERO }
    }

    fn request(bytes: usize, client: u8, of_client: usize) -> MemoryRequest {
        MemoryRequest { bytes, network: Network::V4([192, 0, 2, client]), of_client }
    }

    #[test]
    fn the_slowest_upload_of_the_client_with_the_most_bytes_ends() {
        let uploads = vec![
            upload(0, 1, 30, 7),
            upload(1, 1, 30, 5),
            upload(2, 1, 30, 9),
            upload(3, 2, 20, 1),
        ];
        assert_eq!(choose(uploads.clone(), request(10, 3, 10)), [1]);
        assert_eq!(choose(uploads.clone(), request(11, 3, 10)), [1, 3]);
        assert_eq!(choose(uploads, request(1, 2, 20)), [1]);
    }

    #[test]
    fn no_upload_ends_for_a_client_with_as_many_bytes_unless_it_is_stalled() {
        let mut uploads = vec![upload(0, 1, 30, 7), upload(1, 2, 10, 1)];
        assert!(choose(uploads.clone(), request(10, 1, 40)).is_empty());
        assert!(choose(uploads.clone(), request(10, 2, 30)).is_empty());
        // Not enough can be freed, so none ends in vain.
        assert!(choose(uploads.clone(), request(11, 3, 10)).is_empty());
        for upload in &mut uploads {
            upload.silence = STALLED;
        }
        assert_eq!(choose(uploads, request(10, 1, 40)), [0]);
    }

    /// The small ones are the slowest.
    #[test]
    fn many_small_uploads_of_a_client_shield_none_of_its_large_ones() {
        let small = (0..20).map(|slot| Upload { bytes: 1, ..upload(slot, 1, 1_020, 0) });
        let large = (100..200).map(|slot| upload(slot, 1, 1_020, 5));
        let ended = choose(small.chain(large).collect(), request(30, 2, 30));
        assert_eq!((ended.len(), ended.last()), (21, Some(&199)));
    }
}
