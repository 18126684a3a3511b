//! The choice of the uploads that end when the memory of bodies is used up.

use super::client::Network;
use std::time::Duration;

/// An upload without a byte for this time is stalled: it has no claim to memory that another one
/// needs. Senders on a slow network pause for less.
const STALLED: Duration = Duration::from_secs(1);

/// The most uploads that end for one request.
const ENDED_MOST: usize = 16;

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
/// stalled.
pub(crate) fn choose(mut uploads: Vec<Upload>, request: MemoryRequest) -> Vec<usize> {
    let mut missing = request.bytes;
    let mut chosen = Vec::new();
    while missing > 0 && chosen.len() < ENDED_MOST {
        let may_end = |upload: &&Upload| {
            let is_greedier =
                upload.network != request.network && upload.of_client > request.of_client;
            upload.bytes > 0 && (is_greedier || upload.silence >= STALLED)
        };
        let key = |upload: &&Upload| (upload.of_client, std::cmp::Reverse(upload.rate));
        let Some(ended) = uploads.iter().filter(may_end).max_by_key(key).copied() else { break };
        missing = missing.saturating_sub(ended.bytes);
        chosen.push(ended.slot);
        uploads.retain(|upload| upload.slot != ended.slot);
        for upload in uploads.iter_mut().filter(|upload| upload.network == ended.network) {
            upload.of_client = upload.of_client.saturating_sub(ended.bytes);
        }
    }
    if missing > 0 { Vec::new() } else { chosen }
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
}
