//! Model checks of seda-core's concurrent code.
//!
//! Each file states one protocol and runs it on the crate's own code under a checker. It then seeds
//! a [`Flaw`] at a step of the protocol: a model that passes with its flaw checks nothing. The name
//! of a test with a flaw begins with `if_`. CONTRIBUTING.md explains how to run the models and how
//! to replay a failed schedule.
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
