//! The memory of request bodies: one budget in bytes, charged before the memory is used.

use crate::reactor::clients::client::Client;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that the bodies of one reactor's requests may have: from the head of a request until
/// the program drops its body.
///
/// Each reactor has an equal share of the server's budget, so that it can always make room from its
/// own connections alone.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    limit: usize,
    used: AtomicUsize,
}

impl BodyBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Returns the bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns the bytes that are free.
    pub(crate) fn free(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    fn try_take(&self, bytes: usize) -> bool {
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= self.limit)
        });
        taken.is_ok()
    }
}

/// The bytes charged for one body. They are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct BodyCharge {
    budget: Arc<BodyBudget>,
    client: Arc<Client>,
    bytes: usize,
}

impl BodyCharge {
    /// Returns a charge of zero bytes.
    pub(crate) fn new(budget: Arc<BodyBudget>, client: Arc<Client>) -> Self {
        Self { budget, client, bytes: 0 }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Raises the charge to `bytes`. Returns false, and changes nothing, if the budget is used up.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let is_taken = more == 0 || self.budget.try_take(more);
        if is_taken {
            self.client.add_body_bytes(more);
            self.bytes += more;
        }
        is_taken
    }

    /// Returns the same bytes, which hold this charge until their last clone is dropped.
    pub(crate) fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(ChargedBytes { bytes, _charge: self })
    }
}

impl Drop for BodyCharge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        self.client.remove_body_bytes(self.bytes);
    }
}

/// A body with its charge. The memory is freed before the charge is given back.
struct ChargedBytes {
    bytes: Bytes,
    _charge: BodyCharge,
}

impl AsRef<[u8]> for ChargedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::clients::client::Network;

    #[test]
    fn a_charge_is_given_back_with_the_last_clone_of_its_bytes() {
        let budget = Arc::new(BodyBudget::new(10));
        let client = Arc::new(Client::new(Network::V4([192, 0, 2, 1])));
        let mut charge = BodyCharge::new(Arc::clone(&budget), Arc::clone(&client));
        assert!(charge.grow_to(6) && charge.grow_to(4) && !charge.grow_to(11));
        assert_eq!((budget.used(), client.body_bytes(), budget.free()), (6, 6, 4));
        let body = charge.hold(Bytes::from_static(b"sixsix"));
        let clone = body.slice(1..2);
        drop(body);
        assert_eq!((&clone[..], budget.used()), (&b"i"[..], 6));
        drop(clone);
        assert_eq!((budget.used(), client.body_bytes()), (0, 0));
    }
}
