#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use seda_core::*;

/// The HTTP/1.1 server with a stage graph as its request path (feature `http`, on by default).
#[cfg(feature = "http")]
pub use seda_http as http;
