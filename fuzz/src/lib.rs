//! Fuzz targets of seda-http. Each is a function of bytes that panics at a fault, so libFuzzer
//! drives it (`cargo fuzz`, nightly Rust), and the kept seeds run as a test with stable Rust.
//!
//! | target | input | oracle |
//! | --- | --- | --- |
//! | [`head`] | a request | httparse; the same bytes in other pieces |
//! | [`chunked`] | a chunked body | a second parser; the three ways to read a body |
//! | [`fields`] | lines: Range and conditional fields | the content of the file; its status |
//! | [`connection`] | requests | other pieces give the same requests and answers |
//! | [`proxy`] | a PROXY header | a second parser, an encoder; every cut |
//!
//! The first two bytes of an input decide where it is cut; [`fields`] has none to cut, and
//! [`proxy`] is cut everywhere.
//!
//! A further target is one module here, one file in `fuzz_targets`, one `[[bin]]` in `Cargo.toml`
//! and a folder of seeds.

pub mod chunked;
pub mod connection;
pub mod fields;
pub mod head;
mod pieces;
pub mod proxy;
mod reactor;
