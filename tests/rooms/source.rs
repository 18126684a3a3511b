//! A crate as its sources have it: files, modules, and what each of them names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::{tree, visit};

/// Names joined by `::`. A module's path is counted from the crate's root, which is empty.
pub(crate) type Names = Vec<String>;

/// A line of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// One module: a file, or a `mod name { … }` inside one.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    /// The items that it defines.
    pub(crate) items: BTreeSet<String>,
    /// The names that it imports, each with the path behind it.
    pub(crate) imports: BTreeMap<String, Names>,
    /// The modules of which it imports everything.
    pub(crate) globs: Vec<Names>,
}

/// A path in the code, as `module` sees it.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) place: Place,
    pub(crate) module: Names,
    pub(crate) path: Names,
    /// True for `pub use`.
    pub(crate) is_re_export: bool,
}

/// An `impl Type { … }` without a trait.
#[derive(Debug)]
pub(crate) struct InherentImpl {
    pub(crate) place: Place,
    pub(crate) module: Names,
    pub(crate) type_path: Names,
}

/// A struct and the number of its fields.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) fields: usize,
}

/// All that the rules ask about a crate. Items under `#[cfg(test)]` are left out, but `files`
/// has the files of tests, too.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    /// Paths of all sources, relative to the crate's `src`.
    pub(crate) files: Vec<String>,
    pub(crate) modules: BTreeMap<Names, Module>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) impls: Vec<InherentImpl>,
    pub(crate) structs: Vec<Struct>,
}

impl Crate {
    /// Reads the crate with its sources in `folder`.
    pub(crate) fn read(folder: &Path) -> Self {
        let paths = tree::files(folder).into_iter().filter(|path| path.ends_with(".rs"));
        Self::of(paths.map(|path| (path.clone(), tree::read(&folder.join(path)))).collect())
    }

    /// Makes a crate of texts, each with its path relative to `src`.
    pub(crate) fn of(texts: BTreeMap<String, String>) -> Self {
        let mut krate = Self { files: texts.keys().cloned().collect(), ..Self::default() };
        let root = if texts.contains_key("lib.rs") { "lib.rs" } else { "main.rs" };
        krate.load(root, Vec::new(), &texts);
        krate
    }

    /// Loads the module in `file`, and those that it declares.
    fn load(&mut self, file: &str, module: Names, texts: &BTreeMap<String, String>) {
        if self.modules.contains_key(&module) {
            return;
        }
        let text = texts.get(file).map_or("", String::as_str);
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for child in visit::visit(self, file, module, &parsed) {
            if let Some(found) = child.places.iter().find(|place| texts.contains_key(*place)) {
                self.load(found, child.module, texts);
            }
        }
    }
}
