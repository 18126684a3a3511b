//! The clients of a server: what each holds, and the choice of the connections and uploads that end
//! for others.

pub(super) mod client;
pub(super) mod connection_count;
pub(super) mod eviction;
pub(super) mod peer_list;
pub(super) mod uploads;
