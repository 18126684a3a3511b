//! Reads the file of `--config`. An error names the line, the key, the value and the values that
//! are allowed.

use serde::de::DeserializeOwned;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// The longest part of a value that an error repeats, in characters.
const SHOWN: usize = 40;

/// Reads the settings in a file.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, String> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| format!("--config {name}: {error}; name a readable file"))?;
    parse(&text).map_err(|(line, fault)| {
        format!("--config {name}, line {line}: {fault}; mend or remove the key")
    })
}

/// Reads the settings in a text. An error is the line of the fault, and its description.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, (usize, String)> {
    let parsed = toml::Deserializer::parse(text).map_err(|error| (None, error));
    let read = parsed.and_then(|file| {
        serde_path_to_error::deserialize(file)
            .map_err(|error| (Some(error.path().to_string()), error.into_inner()))
    });
    read.map_err(|(key, error)| {
        let span = error.span().unwrap_or_default();
        let line = text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1;
        let message = error.message().replace('\n', " ");
        let fault = key.map_or_else(|| message.clone(), |key| fault(&key, text, span, &message));
        (line, fault)
    })
}

/// Returns serde's message about a value, in the form of the settings' own checks.
fn fault(key: &str, text: &str, value: Range<usize>, message: &str) -> String {
    let of_value = ["invalid type: ", "invalid value: "];
    let unexpected = of_value.iter().find_map(|kind| message.strip_prefix(kind));
    match (unexpected.and_then(|rest| rest.split_once(", expected ")), text.get(value)) {
        (Some((_, allowed)), Some(value)) => {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown: String = value.chars().take(SHOWN).collect();
            let more = if shown.len() < value.len() { "…" } else { "" };
            format!("`{key}` is {shown}{more}; allowed: {allowed}")
        }
        _ => format!("`{key}`: {message}"),
    }
}
