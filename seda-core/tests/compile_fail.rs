//! Misuse that does not compile, and what the compiler says of it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// The compiler whose words the `.stderr` files are; compilers word them differently. To move on:
/// `TRYBUILD=overwrite cargo test -p seda-core --test compile_fail`, with the new version here.
const COMPILER: &str = "rustc 1.95.";

/// With any other compiler only that they do not compile is checked, by the documentation tests
/// (`src/compile_fail.rs`).
#[test]
fn misuse_does_not_compile_and_the_compiler_says_why() {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    }
}

/// A case that is not in the list would be checked with one compiler only.
#[test]
fn every_case_is_among_the_documentation_tests() {
    let list = include_str!("../src/compile_fail.rs");
    let cases = std::fs::read_dir("tests/compile_fail").unwrap();
    let names = cases.map(|case| case.unwrap().file_name().into_string().unwrap());
    let cases: Vec<String> = names.filter(|name| name.ends_with(".rs")).collect();
    assert_eq!(cases.len(), list.matches("compile_fail/").count());
    for case in cases {
        assert!(
            list.contains(&format!("compile_fail/{case}")),
            "{case} is not in src/compile_fail.rs"
        );
    }
}
