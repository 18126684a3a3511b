//! How things read: what a machine can check of comments, names and documents.
//!
//! ```text
//!   // So many events wait, whoever sent them.        two markers of prose that cannot be skimmed
//!   // Number of queued events, over all lanes.       subject first: nothing to find
//! ```
//!
//! - A comment line has at most [`comments::MOST_COLUMNS`] columns.
//! - [`markers::MARKERS`] are words that begin a relative clause, or a person where a thing acts.
//!   Comments and messages of a package have fewer than [`markers::MOST`] of them per 1,000
//!   comment lines, and Markdown files have fewer per 1,000 lines of prose.
//! - No identifier is one of [`terms::BANNED`]: one idea has one name. Strings are left alone, so
//!   the key of a file stays what it is, with `#[serde(rename = "…")]`.
//! - A path in backticks in a Markdown file exists. It is relative to the root, to the file, or to
//!   a package, its `src` or its `tests`; under a heading that is a package's name, to that package alone.

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

/// A file of the repository.
#[derive(Debug)]
struct Text {
    path: String,
    text: String,
}

/// All sources and Markdown files, read once for all tests.
static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| {
    let root = tree::root();
    let mut paths = tree::files(&root);
    paths.retain(|path| path.ends_with(".rs") || path.ends_with(".md"));
    paths.into_iter().map(|path| Text { text: tree::read(&root.join(&path)), path }).collect()
});

fn sources() -> impl Iterator<Item = &'static Text> {
    TEXTS.iter().filter(|text| text.path.ends_with(".rs"))
}

fn documents() -> impl Iterator<Item = &'static Text> {
    TEXTS.iter().filter(|text| text.path.ends_with(".md"))
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn comments_fit_on_the_page() {
    assert_none(&sources().flat_map(comments::too_wide).collect::<Vec<_>>());
}

#[test]
fn comments_and_messages_say_what_acts() {
    assert_none(&markers::in_sources(sources()));
}

#[test]
fn documents_say_what_acts() {
    assert_none(&markers::in_documents(documents()));
}

#[test]
fn one_idea_has_one_name() {
    assert_none(&terms::banned(sources(), terms::BANNED));
}

#[test]
fn paths_in_documents_exist() {
    let root = tree::root();
    let files = tree::files(&root);
    assert_none(
        &documents().flat_map(|document| paths::missing(document, &files)).collect::<Vec<_>>(),
    );
}
