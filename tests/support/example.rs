//! The examples as programs.

use std::path::PathBuf;
use std::process::Command;

/// Builds an example in the profile of this test, and returns its path. `cargo test --test` does
/// not build examples; `cargo test --workspace` has built them, and with the features of the
/// workspace nothing is built again.
pub fn build(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("this test has a path");
    let profile = me.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps");
    let release = profile.ends_with("release").then_some("--release");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--example", name])
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.expect("cargo runs").success(), "the example does not build");
    profile.join("examples").join(name)
}
