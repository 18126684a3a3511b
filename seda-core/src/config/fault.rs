//! The fault of a single value: a text that is not a word of its setting, or a setting out of its
//! bounds.

use std::borrow::Cow;
use std::fmt;
use thiserror::Error;

/// A text that is not one of the words of a setting.
///
/// ```
/// use seda_core::Mode;
/// let error = "maybe".parse::<Mode>().unwrap_err();
/// assert_eq!(error.to_string(), "`maybe` is not a control mode: write on, observe or off");
/// assert_eq!(error.expected, ["on", "observe", "off"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{got}` is not {what}: write {}", OneOf(expected, ""))]
#[non_exhaustive]
pub struct ParseWordError {
    /// The setting, with its article: "a control mode".
    pub what: &'static str,
    /// The text.
    pub got: String,
    /// The words that are allowed.
    pub expected: &'static [&'static str],
}

/// Shows words as a list with "or" before the last, each between two quotes.
pub(super) struct OneOf<'a>(pub(super) &'a [&'a str], pub(super) &'static str);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(words, quote) = self;
        for (index, word) in words.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == words.len() => " or ",
                _ => ", ",
            };
            write!(f, "{separator}{quote}{word}{quote}")?;
        }
        Ok(())
    }
}

/// A setting that is out of its bounds.
///
/// ```
/// use seda_core::{Graph, GraphError, SettingsError};
/// let mut graph = Graph::new("pages");
/// let parse = graph.stage::<String>("parse", 64);
/// graph.attach_each(parse, |_wire| |_line, _cx| {})?;
/// graph.apply(toml::from_str("stages.parse.batch = 0")?)?;
/// let error = graph.start().unwrap_err();
/// let GraphError::Settings(SettingsError::Setting(fault)) = error else { panic!("{error}") };
/// assert_eq!(fault.to_string(), "`stages.parse.batch` is 0; allowed: 1 to 4096 events");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{key}` is {value}; allowed: {allowed}")]
#[non_exhaustive]
pub struct SettingFault {
    /// The key, as in a file.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The bounds, and the remedy if there is one.
    pub allowed: Cow<'static, str>,
}

impl SettingFault {
    pub(crate) fn new(
        key: impl Into<String>,
        value: impl ToString,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }

    /// The same fault with its key inside the table `table`.
    pub(super) fn within(self, table: &str) -> Self {
        Self { key: format!("{table}.{}", self.key), ..self }
    }
}
