//! Finds the file that defines a name, re-exports followed.

use crate::circles::Imports;
use crate::source::{Crate, Names};

/// The most re-exports between a name and its definition; ends the search in a ring of them.
const MOST_STEPS: usize = 8;

/// What a path names.
enum Named {
    Module(Names),
    /// An item of this module.
    ItemOf(Names),
}

impl Named {
    fn module(self) -> Names {
        match self {
            Self::Module(module) | Self::ItemOf(module) => module,
        }
    }
}

impl Crate {
    /// Returns the file that defines `path` as `module` sees it; `None` for another crate's name.
    pub(crate) fn definer(&self, module: &[String], path: &[String]) -> Option<&str> {
        let defined_in = self.find(module, path, MOST_STEPS)?.module();
        self.modules.get(&defined_in).map(|module| module.file.as_str())
    }

    /// Returns each file with the files that it imports from, and one mention for each of these.
    pub(crate) fn imports(&self) -> Imports<'_> {
        let mut imports = Imports::new();
        for mention in self.mentions.iter().filter(|mention| !mention.is_re_export) {
            let file = mention.place.file.as_str();
            if let Some(definer) = self.definer(&mention.module, &mention.path)
                && definer != file
            {
                imports.entry(file).or_default().entry(definer).or_insert(mention);
            }
        }
        imports
    }

    fn find(&self, module: &[String], path: &[String], steps: usize) -> Option<Named> {
        let (mut at, rest) = start(module, path);
        let is_bare = rest.len() == path.len();
        for (n, name) in rest.iter().enumerate() {
            match self.look_up(&at, name, steps) {
                Some(Named::Module(next)) => at = next,
                Some(item) => return Some(item),
                None if is_bare && n == 0 => return None,
                // A name that a macro makes is defined where the path ends.
                None => break,
            }
        }
        Some(Named::Module(at))
    }

    /// Looks for one name in one module: what it declares, defines, imports, in this order.
    fn look_up(&self, module: &[String], name: &str, steps: usize) -> Option<Named> {
        let child: Names = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some(Named::Module(child));
        }
        let scope = self.modules.get(module)?;
        if scope.items.contains(name) {
            return Some(Named::ItemOf(module.to_vec()));
        }
        let steps = steps.checked_sub(1)?;
        if let Some(import) = scope.imports.get(name) {
            return self.find(module, import, steps);
        }
        scope.globs.iter().find_map(|glob| {
            let target = self.find(module, glob, steps)?.module();
            if target == module { None } else { self.look_up(&target, name, steps) }
        })
    }
}

/// Returns the module where a path begins, and the names after `crate`, `self` and `super`.
fn start<'p>(module: &[String], path: &'p [String]) -> (Names, &'p [String]) {
    let mut at = module.to_vec();
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            _ => break,
        }
        rest = after;
    }
    (at, rest)
}
