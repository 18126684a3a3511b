//! Marker words of prose that cannot be skimmed, and how many there are.

use std::collections::BTreeMap;

use crate::tokens::Source;
use crate::{Document, comments};

/// The number of markers per 1,000 lines at which prose fails.
pub(crate) const MOST: usize = 10;

/// Words that begin a relative clause in place of a noun, or that put a person in place of a
/// thread, an event or a stage.
pub(crate) const MARKERS: &[&str] = &[
    "so many",
    "so much",
    "whoever",
    "whose",
    "nobody",
    "somebody",
    "anybody",
    "whatever it",
    "who is",
    "who asks",
    "who waits",
    "what is",
    "what was",
    "what has",
    "what came",
    "what were",
    "what comes",
];

/// The packages by folder. The facade's own files are in [`FACADE`].
const PACKAGES: &[&str] = &[
    "seda-core/",
    "seda-admin/",
    "seda-http/",
    "seda-tower/",
    "seda-sim/",
    "seda-tools/",
    "benches/peers/",
    "benches/",
];

/// The package at the root.
const FACADE: &str = "seda";

/// The prose of a package, counted.
#[derive(Debug, Default)]
struct Tally {
    lines: usize,
    markers: Vec<String>,
}

impl Tally {
    fn search(&mut self, path: &str, n: usize, line: &str) {
        for marker in found(line) {
            self.markers.push(format!("  {path}:{n}: {marker}: {}", line.trim()));
        }
    }

    fn fault(self, what: &str) -> Option<String> {
        let Self { lines, markers } = self;
        if markers.is_empty() || markers.len() * 1_000 < MOST * lines {
            return None;
        }
        Some(format!(
            "{what}: {} marker words in {lines} lines; fewer than {MOST} per 1,000 are allowed. \
             Begin the sentence with the thing that acts: the event, the worker, the limit\n{}",
            markers.len(),
            markers.join("\n")
        ))
    }
}

/// Returns the markers in a line.
pub(crate) fn found(line: &str) -> Vec<&'static str> {
    let line = line.to_lowercase();
    let places = MARKERS.iter().flat_map(|marker| {
        line.match_indices(marker)
            .filter(|(at, _)| is_apart(&line, *at, marker.len()))
            .map(|_| *marker)
    });
    places.collect()
}

/// True if no word goes on before or behind the marker.
fn is_apart(line: &str, at: usize, length: usize) -> bool {
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    let behind = line.get(at + length..).and_then(|text| text.chars().next());
    ![before, behind].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
}

/// Counts comments and messages, a fault for each package that has too many markers.
pub(crate) fn in_sources(sources: &[Source]) -> Vec<String> {
    let mut packages: BTreeMap<&str, Tally> = BTreeMap::new();
    for source in sources {
        let package = PACKAGES.iter().find(|folder| source.path.starts_with(**folder));
        let tally = packages.entry(package.unwrap_or(&FACADE)).or_default();
        for (n, line) in comments::lines(&source.text) {
            tally.lines += 1;
            tally.search(&source.path, n, line);
        }
        for (n, message) in &source.messages {
            tally.search(&source.path, *n, message);
        }
    }
    packages.into_iter().filter_map(|(package, tally)| tally.fault(package)).collect()
}

/// Counts the prose of Markdown files: all lines that are neither empty nor in a code block.
pub(crate) fn in_documents(documents: &[Document]) -> Vec<String> {
    let mut tally = Tally::default();
    for document in documents {
        for (n, line) in prose(&document.text) {
            tally.lines += 1;
            tally.search(&document.path, n, line);
        }
    }
    tally.fault("Markdown files").into_iter().collect()
}

/// Returns the lines of a Markdown file that are neither empty nor in a code block.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    let numbered = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    numbered.filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence && !line.trim().is_empty()
    })
}
