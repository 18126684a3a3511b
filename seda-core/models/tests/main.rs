//! Model checks of seda-core's concurrent code.
//!
//! Each file states one protocol, runs it on the crate's own code under a checker, and then breaks
//! it at the line where it would break: a model that stays green with its [`Flaw`] checks nothing.
//! CONTRIBUTING.md says how to run them and how to replay a schedule that failed.
//!
//! [`Flaw`]: seda_core::modelled::Flaw
#![allow(missing_docs, reason = "tests")]

mod checker;

#[cfg(feature = "shuttle")]
mod cut;
#[cfg(feature = "shuttle")]
mod drain;
#[cfg(feature = "shuttle")]
mod ledgers;
#[cfg(feature = "shuttle")]
mod permits;
#[cfg(feature = "shuttle")]
mod retire;
#[cfg(feature = "shuttle")]
mod shrink;
mod support;
#[cfg(feature = "shuttle")]
mod valve;
#[cfg(feature = "loom")]
mod wakeups;
