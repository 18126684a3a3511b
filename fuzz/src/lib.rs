//! Fuzz targets of seda-http. Each is a function of bytes that panics at a fault, so libFuzzer
//! drives it (`cargo fuzz`, nightly Rust), and the kept seeds run as a test with stable Rust.
//!
//! | target | input | oracle |
//! | --- | --- | --- |
//! | [`head`] | a seed of two bytes, then a request | httparse; the same bytes in other pieces |
//! | [`chunked`] | a seed of two bytes, then a chunked body | a second parser; the three ways to read a body |
//! | [`fields`] | lines of Range and conditional fields | the content of the file; which status a field allows |
//! | [`connection`] | a seed of two bytes, then the requests of a connection | the same bytes in other pieces: same requests, same answers |
//!
//! A further target is one module here, one file in `fuzz_targets`, one `[[bin]]` in `Cargo.toml`
//! and a folder of seeds.

pub mod chunked;
pub mod connection;
pub mod fields;
pub mod head;
mod pieces;
