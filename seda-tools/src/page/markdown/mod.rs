//! Summaries as Markdown, for the step summary of a CI job or a pull request: figures with their
//! intervals, and the conditions with their results.

mod load;
mod step;
mod sweep;
mod table;
#[cfg(test)]
mod tests;

pub use load::load;
pub use step::step;
pub use sweep::sweep;
