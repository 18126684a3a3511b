//! The language of the repository: rules for comments, names and documents that a machine checks.
//!
//! ```text
//!   /// Number of queued events, over all lanes.     names the thing first: read at a glance
//!   /// How many of them are waiting there.          leaves the thing to the reader's guess
//! ```
//!
//! - A comment line has at most [`comments::MOST_COLUMNS`] columns.
//! - [`markers::MARKERS`] are words of the second kind: relative clauses in place of a noun, and
//!   persons in place of threads and events. Comments and messages of a package have fewer than
//!   [`markers::MOST`] of them per 1,000 comment lines; so have Markdown files per 1,000 lines.
//! - No identifier is one of [`terms::BANNED`]: one idea has one name. Strings are left alone, so
//!   the key of a file stays what it is, with `#[serde(rename = "…")]`.
//! - A path in backticks in a Markdown file exists. It is relative to the root, to the file, or to
//!   a package, its `src` or its `tests`. Under a heading with the name of a package, only that
//!   package counts.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod comments;
mod markers;
mod paths;
mod samples;
mod terms;
mod tokens;
#[path = "../tree/mod.rs"]
mod tree;

use std::sync::LazyLock;

use tokens::Source;

/// A Markdown file.
#[derive(Debug)]
struct Document {
    path: String,
    text: String,
}

/// The paths of all files of the repository.
static FILES: LazyLock<Vec<String>> = LazyLock::new(|| tree::files(&tree::root()));

/// The Rust sources, read once for all tests.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let texts = texts(".rs").into_iter();
    texts.map(|(path, text)| Source::new(path, text)).collect()
});

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let texts = texts(".md").into_iter();
    texts.map(|(path, text)| Document { path, text }).collect()
});

/// Returns the files with this ending: path and text.
fn texts(ending: &str) -> Vec<(String, String)> {
    let root = tree::root();
    let paths = FILES.iter().filter(|path| path.ends_with(ending));
    paths.map(|path| (path.clone(), tree::read(&root.join(path)))).collect()
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn comments_fit_on_the_page() {
    assert_none(&SOURCES.iter().flat_map(comments::too_wide).collect::<Vec<_>>());
}

#[test]
fn comments_and_messages_name_the_thing_that_acts() {
    assert_none(&markers::in_sources(&SOURCES));
}

#[test]
fn documents_name_the_thing_that_acts() {
    assert_none(&markers::in_documents(&DOCUMENTS));
}

#[test]
fn one_idea_has_one_name() {
    assert_none(&terms::banned(&SOURCES, terms::BANNED));
}

#[test]
fn paths_in_documents_exist() {
    let missing = DOCUMENTS.iter().flat_map(|document| paths::missing(document, &FILES));
    assert_none(&missing.collect::<Vec<_>>());
}
