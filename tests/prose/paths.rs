//! Paths in backticks in Markdown files.

use crate::{Document, markers};

/// The endings of file names of the repository.
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".svg", ".sh", ".yml", ".in", "/"];

/// Folders of files that programs write.
const MADE: &[&str] = &["target/", "benches/peers/results/"];

/// Returns a fault for each path of `document` that no file of `files` has.
pub(crate) fn missing(document: &Document, files: &[String]) -> Vec<String> {
    let mut package = None;
    let mut faults = Vec::new();
    for (n, line) in markers::prose(&document.text) {
        if let Some(heading) = line.strip_prefix('#') {
            package = package_of(heading, files);
        }
        let bases = bases(document, package, files);
        for path in line.split('`').skip(1).step_by(2).filter(|code| is_path(code, files)) {
            for path in alternatives(path) {
                if !bases.iter().any(|base| exists(&format!("{base}{path}"), files)) {
                    faults.push(format!(
                        "{}:{n}: there is no `{path}`: name the file as it is now, from the root \
                         or from a package's `src` or `tests`",
                        document.path
                    ));
                }
            }
        }
    }
    faults
}

/// Returns the folder of the package that a heading names.
fn package_of<'f>(heading: &str, files: &'f [String]) -> Option<&'f str> {
    let name = heading.trim_start_matches('#').trim().trim_matches('`');
    packages(files).find(|folder| folder.trim_end_matches('/') == name && !name.is_empty())
}

/// Returns the folders that have a `Cargo.toml`, each with a `/` behind it; the root's is empty.
fn packages(files: &[String]) -> impl Iterator<Item = &str> {
    files.iter().filter_map(|file| file.strip_suffix("Cargo.toml"))
}

/// Returns the folders from which a path may be counted, each with a `/` behind it.
fn bases(document: &Document, package: Option<&str>, files: &[String]) -> Vec<String> {
    let folder = document.path.rfind('/').and_then(|end| document.path.get(..=end));
    let mut bases = vec![String::new(), folder.unwrap_or_default().to_owned()];
    for found in packages(files).filter(|found| package.is_none_or(|only| only == *found)) {
        bases.push(found.to_owned());
        bases.push(format!("{found}src/"));
        bases.push(format!("{found}tests/"));
    }
    bases
}

/// True if the code between two backticks looks like a path of the repository: by its ending, or
/// because it begins with a folder of the root.
fn is_path(code: &str, files: &[String]) -> bool {
    let has_only_names = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./{},".contains(c));
    let begins = code
        .find('/')
        .and_then(|end| code.get(..=end))
        .is_some_and(|folder| folder != "/" && files.iter().any(|file| file.starts_with(folder)));
    let is_made = code.starts_with('/') || MADE.iter().any(|folder| code.starts_with(folder));
    let ends = ENDINGS.iter().any(|ending| code.len() > ending.len() && code.ends_with(ending));
    has_only_names && !is_made && (begins || ends)
}

/// Returns `a.rs` and `b.rs` for `{a,b}.rs`, and otherwise the path itself.
fn alternatives(path: &str) -> Vec<String> {
    match path.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?))) {
        Some((head, (names, tail))) => {
            names.split(',').map(|name| format!("{head}{name}{tail}")).collect()
        }
        None => vec![path.to_owned()],
    }
}

/// True if `path` is a file, or a folder with files in it.
fn exists(path: &str, files: &[String]) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    files.iter().any(|file| file == path || file.starts_with(&folder))
}
