//! The sign of a condition, and the result of checking one.

/// The relation between a figure and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Relation {
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// The longer signs first, because the first match counts.
const RELATIONS: [(&str, Relation); 4] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::Above),
    ("<", Relation::Below),
];

impl Relation {
    /// Splits `p99<=200ms` into the name, the relation and the value; `None` without a sign.
    pub(super) fn split(text: &str) -> Option<(&str, Relation, &str)> {
        let (name, rest) = text.split_at(text.find(['<', '>'])?);
        let (sign, relation) = RELATIONS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        Some((name.trim(), *relation, rest.strip_prefix(sign)?.trim()))
    }

    /// Returns true if `found` is in this relation to `value`.
    pub(super) fn holds(self, found: f64, value: f64) -> bool {
        match self {
            Relation::AtLeast => found >= value,
            Relation::AtMost => found <= value,
            Relation::Above => found > value,
            Relation::Below => found < value,
        }
    }
}

/// The result of checking a condition.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AssertionResult {
    /// True if the condition holds.
    pub holds: bool,
    /// The condition, beside the measured figure.
    pub message: String,
    /// The condition as it was written.
    pub condition: String,
    /// The measured figure with its unit.
    pub found: String,
}

impl AssertionResult {
    /// Returns the result of the condition `text`; `found` describes the figure, if it is known.
    pub(super) fn new(text: &str, holds: bool, found: Option<String>) -> Self {
        let found = found.unwrap_or_else(|| "there is no such figure".to_owned());
        let mark = if holds { "holds" } else { "DOES NOT HOLD" };
        let message = format!("assert {text}: {mark} ({found})");
        Self { holds, message, condition: text.to_owned(), found }
    }
}
