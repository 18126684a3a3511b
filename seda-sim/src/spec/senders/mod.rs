//! The senders of requests: the clients that send them, and the tenants that they are sent for.

mod client;
mod limiter;
mod tenants;

pub use client::ClientSpec;
pub use limiter::LimiterSpec;
pub use tenants::{HeavyTenant, NewKeys, TenantsSpec};
