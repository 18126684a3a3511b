//! The file behind `--config`, and what is wrong with it in words: the line, the key, what was
//! there, what is allowed.

use serde::de::DeserializeOwned;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// So much of a value is repeated: enough to find it.
const SHOWN: usize = 40;

/// What the file sets.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, String> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| format!("--config {name}: {error}; name a readable file"))?;
    parse(&text).map_err(|(line, fault)| {
        format!("--config {name}, line {line}: {fault}; mend or remove the key")
    })
}

/// What the text sets; else the line of the fault and the fault.
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

/// What serde says of a value, in the words of the settings' own checks.
fn fault(key: &str, text: &str, value: Range<usize>, message: &str) -> String {
    let of_value = ["invalid type: ", "invalid value: "];
    let unexpected = of_value.iter().find_map(|kind| message.strip_prefix(kind));
    match (unexpected.and_then(|rest| rest.split_once(", expected ")), text.get(value)) {
        (Some((_, allowed)), Some(value)) => {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown: String = value.chars().take(SHOWN).collect();
            let more = if shown.len() < value.len() { "…" } else { "" };
            format!("`{key}` is {shown}{more}: allowed is {allowed}")
        }
        _ => format!("`{key}`: {message}"),
    }
}
