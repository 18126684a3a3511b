//! Gates: a verdict per event, from a little state and the time.
//!
//! A policy of [`crate::control`] looks once per tick and sets something; a gate is asked for each
//! event and answers at once. It is a plain data structure: the time is an argument, the state is
//! `&mut self`, it takes no lock, allocates nothing and cannot fail. So whoever owns it, an entry, a
//! lane or a simulator, gets the same answers to the same questions.
//!
//! | gate | is asked | says | keeps bounded |
//! | --- | --- | --- | --- |
//! | [`TokenBucket`] | at a stage's entrance ([`crate::StageConfig::rate`]), before anything is spent | how many may enter | the rate, and the burst |
//! | [`Codel`] | at dequeue, before an event is begun | [`Verdict`] | the time in a standing queue |
//!
//! Neither decides how much is right: a rate is declared ([`RateConfig`]), and a gate at dequeue
//! is the net below a limit at the entry. What it sheds has cost its way there.
//!
//! Both are bounded themselves: a rate is never zero, and what CoDel may shed in an interval has a
//! cap. A gate that can close for good is one that somebody has to open again.

mod codel;
#[cfg(test)]
mod codel_tests;
mod rate_config;
mod token_bucket;
#[cfg(test)]
mod token_bucket_tests;

pub use codel::{Codel, CodelConfig, CodelLaw, Dequeued, Verdict};
pub use rate_config::RateConfig;
pub use token_bucket::{Rate, TokenBucket};
