//! The senders of requests: the clients that send them, and the tenants that they are sent for.

mod client;
mod tenants;

pub use client::{ClientSpec, LimiterSpec};
pub use tenants::{HeavyTenant, NewKeys, TenantsSpec};
