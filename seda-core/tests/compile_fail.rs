//! Misuse that does not compile, and the compiler's message for each case.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// The compiler that wrote the `.stderr` files; other versions word messages differently. To
/// update: set the new version here and run `TRYBUILD=overwrite cargo test -p seda-core --test
/// compile_fail`.
const COMPILER: &str = "rustc 1.95.";

/// Under other compilers the documentation tests (`src/compile_fail.rs`) check that each case fails
/// to compile, without its message.
#[test]
fn misuse_does_not_compile_and_the_compiler_explains_it() {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
    }
}

/// A case missing from that list would be checked under one compiler only.
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
