//! Each rule on samples: it reports its fault, and passes a correct text.

use crate::markers::MARKERS;
use crate::tokens::Source;
use crate::{Document, comments, markers, paths, terms};

fn source(path: &str, text: impl Into<String>) -> Source {
    Source::new(path.to_owned(), text.into())
}

fn document(path: &str, text: impl Into<String>) -> Document {
    Document { path: path.to_owned(), text: text.into() }
}

#[track_caller]
fn assert_one(faults: &[String], parts: &[&str]) {
    assert_eq!(faults.len(), 1, "{faults:#?}");
    for part in parts {
        assert!(faults.concat().contains(part), "no `{part}` in {faults:?}");
    }
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_comment_of_more_than_a_hundred_columns_is_seen() {
    let comment =
        |columns: usize| source("a.rs", format!("let a;\n  //{}", "é".repeat(columns - 4)));
    assert_none(&comments::too_wide(&comment(100)));
    assert_one(&comments::too_wide(&comment(101)), &["a.rs:2", "101 columns"]);
    // Code is rustfmt's.
    assert_none(&comments::too_wide(&source("a.rs", "a();".repeat(50))));
}

#[test]
fn a_marker_is_a_word_of_its_own() {
    for marker in MARKERS {
        assert_eq!(markers::found(&format!("/// {}.", marker.to_uppercase())), [*marker]);
        assert_eq!(markers::found(&format!("/// x{marker} {marker}_ {marker}s")), [""; 0]);
    }
}

#[test]
fn markers_in_comments_and_messages_count_by_package() {
    let marker = MARKERS[0];
    let lines = "// The queue is full.\n".repeat(99);
    let message = source("src/a.rs", format!("{lines}fn f() {{ g(\"a b {marker}\") }}"));
    assert_one(&markers::in_sources(&[message]), &["seda:", "src/a.rs:100"]);
    let comment = source("seda-core/src/a.rs", format!("{lines}//! {marker} events"));
    let mut sources = vec![comment];
    assert_one(&markers::in_sources(&sources), &["seda-core/", "a.rs:100"]);

    // One marker in 101 lines is below ten in a thousand.
    sources.push(source("seda-core/tests/b.rs", "// One more.\n"));
    assert_none(&markers::in_sources(&sources));
    // Names and keys are no messages.
    let key = source("src/a.rs", format!("const KEY: &str = \"{marker}\";"));
    assert_none(&markers::in_sources(&[key]));
}

#[test]
fn markers_in_documents_count_outside_code() {
    let marker = MARKERS[0];
    let prose = document("docs/a.md", format!("# A\n\n{marker} events\n"));
    assert_one(&markers::in_documents(&[prose]), &["docs/a.md:3", "in 2 lines"]);
    let code = document("docs/a.md", format!("# A\n```text\n{marker} events\n```\n"));
    assert_none(&markers::in_documents(&[code]));
}

#[test]
fn a_banned_name_is_seen_as_an_identifier_only() {
    let banned = [("headcount", "worker_count"), ("give_up_*", "shed")];
    let faults = |text: &str| terms::banned(&[source("a.rs", text)], &banned);
    assert_one(&faults("\nfn f(headcount: u8) {}"), &["a.rs:2", "`headcount`", "`worker_count`"]);
    assert_one(&faults("fn f() { m!(a.give_up_all()) }"), &["`give_up_all`", "`shed`"]);
    assert_none(&faults("// headcount\n/// headcount\nfn f() { g(\"headcount\") }"));
    assert_none(&faults("#[serde(rename = \"headcount\")] struct A { my_headcount_s: u8 }"));
}

#[test]
fn identifiers_have_their_lines() {
    let source = source("a.rs", "/// doc\nfn f() {\n    g![h]\n}");
    assert_eq!(
        source.identifiers.get(1..).unwrap_or_default(),
        [(2, "f".to_owned()), (3, "g".to_owned()), (3, "h".to_owned())]
    );
}

#[test]
fn a_path_that_no_file_has_is_seen() {
    let files = [
        "Cargo.toml",
        "core/Cargo.toml",
        "core/src/a/b.rs",
        "docs/x.md",
        "http/Cargo.toml",
        "core/tests/t.rs",
    ]
    .map(str::to_owned);
    let missing = |line: &str| paths::missing(&document("docs/x.md", line), &files);

    for path in
        ["core/src/a/b.rs", "a/b.rs", "a/", "src/a/", "x.md", "docs/x.md", "src/{a/b}.rs", "t.rs"]
    {
        assert_none(&missing(&format!("see `{path}`")));
    }
    for other in [
        "/hello",
        "text/html",
        "n/a",
        "cx.send()",
        "target/doc/a.rs",
        "benches/peers/results/a.toml",
        "1.0",
    ] {
        assert_none(&missing(&format!("see `{other}`")));
    }
    assert_none(&missing("```\n`a/gone.rs`\n```"));

    assert_one(&missing("\nsee `a/gone.rs`"), &["docs/x.md:2", "`a/gone.rs`"]);
    assert_one(&missing("`core/src/gone/`"), &["`core/src/gone/`"]);
    assert_one(&missing("`src/a/{b,gone}.rs`"), &["`src/a/gone.rs`"]);
    // Under a package's heading a path is that package's.
    assert_none(&missing("## core\n`a/b.rs`"));
    assert_one(&missing("## http\n`a/b.rs`"), &["docs/x.md:2"]);
}
