//! The files of the repository, as the checks of its own sources read them.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folders that hold no sources of ours.
const SKIPPED: &[&str] = &["target", ".git", "node_modules"];

/// Returns the root of the repository; `SEDA_TREE=path` checks another checkout.
pub(crate) fn root() -> PathBuf {
    env::var_os("SEDA_TREE").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), Into::into)
}

/// Returns the paths of all files below `folder`, relative to it, with `/`, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    descend(folder, "", &mut found);
    found.sort();
    found
}

fn descend(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder {
            found.push(format!("{prefix}{name}"));
        } else if !SKIPPED.contains(&name.as_str()) {
            descend(&entry.path(), &format!("{prefix}{name}/"), found);
        }
    }
}

/// Returns the text of a file; fails the test if it cannot be read.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}
