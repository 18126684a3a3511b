//! Collects what one file names: its items, imports, paths, impls and structs.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprLit, ImplItem, Item, ItemImpl, ItemMod, ItemStruct, ItemUse, Lit, Macro,
    Meta, Type, UseTree, Visibility,
};

use crate::source::{Crate, InherentImpl, Mention, Module, Names, Place, Struct};

/// A module that a file declares with `mod name;`, and where its file may be.
pub(crate) struct Declared {
    pub(crate) module: Names,
    pub(crate) places: Vec<String>,
}

/// Adds what `parsed` names to `krate`; returns the modules that it declares.
pub(crate) fn visit(
    krate: &mut Crate,
    file: &str,
    module: Names,
    parsed: &syn::File,
) -> Vec<Declared> {
    let mut visitor = Visitor { krate, file, module, declared: Vec::new() };
    visitor.enter_module();
    visitor.visit_file(parsed);
    visitor.declared
}

struct Visitor<'a> {
    krate: &'a mut Crate,
    file: &'a str,
    /// The module under the visitor: the file's, or an inline one inside it.
    module: Names,
    declared: Vec<Declared>,
}

impl Visitor<'_> {
    fn enter_module(&mut self) {
        let module = Module { file: self.file.to_owned(), ..Module::default() };
        self.krate.modules.insert(self.module.clone(), module);
    }

    fn current(&mut self) -> &mut Module {
        self.krate.modules.entry(self.module.clone()).or_default()
    }

    fn place(&self, at: &Ident) -> Place {
        Place { file: self.file.to_owned(), line: at.span().start().line }
    }

    fn mention(&mut self, path: &[&Ident], is_re_export: bool) {
        let Some(first) = path.first() else { return };
        let mention = Mention {
            place: self.place(first),
            module: self.module.clone(),
            path: names(path),
            is_re_export,
        };
        self.krate.mentions.push(mention);
    }

    /// Takes apart `a::{b, c as d, e::*}`; `path` is what stands before `tree`.
    fn import<'t>(&mut self, tree: &'t UseTree, path: &mut Vec<&'t Ident>, is_re_export: bool) {
        match tree {
            UseTree::Path(step) => {
                path.push(&step.ident);
                self.import(&step.tree, path, is_re_export);
                path.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.import(item, path, is_re_export));
            }
            UseTree::Glob(_) => {
                self.current().globs.push(names(path));
                self.mention(path, is_re_export);
            }
            UseTree::Name(leaf) => self.import_name(&leaf.ident, &leaf.ident, path, is_re_export),
            UseTree::Rename(leaf) => {
                self.import_name(&leaf.ident, &leaf.rename, path, is_re_export);
            }
        }
    }

    fn import_name(&mut self, name: &Ident, alias: &Ident, path: &[&Ident], is_re_export: bool) {
        let mut path = path.to_vec();
        let mut alias = alias;
        if name != "self" {
            path.push(name);
        } else if alias == "self"
            && let Some(last) = path.last()
        {
            alias = last;
        }
        self.current().imports.entry(alias.to_string()).or_insert_with(|| names(&path));
        self.mention(&path, is_re_export);
    }

    /// Finds `a::b` in tokens that have no syntax yet, and paths in the strings among them.
    fn visit_tokens(&mut self, tokens: &TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens.clone() {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_path(&mut path);
                    }
                    path.push(ident);
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.end_path(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.visit_tokens(&group.stream());
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Vec<Ident>) {
        if path.len() > 1 {
            self.mention(&path.iter().collect::<Vec<_>>(), false);
        }
        path.clear();
    }

    /// Reads the paths in `#[serde(with = "units::duration")]`.
    fn visit_strings(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            if let TokenTree::Literal(literal) = token
                && let Ok(Lit::Str(text)) = syn::parse_str(&literal.to_string())
                && text.value().contains("::")
                && let Ok(mut path) = syn::parse_str::<syn::Path>(&text.value())
            {
                for segment in &mut path.segments {
                    segment.ident.set_span(literal.span());
                }
                self.visit_path(&path);
            }
        }
    }

    /// Returns where the file of `mod name;` may be.
    fn places_of(&self, item: &ItemMod) -> Vec<String> {
        let (folder, file) = self.file.rsplit_once('/').unwrap_or(("", self.file));
        if let Some(path) = item.attrs.iter().find_map(path_attribute) {
            return vec![joined(folder, &path)];
        }
        let base = match file {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            _ => joined(folder, file.trim_end_matches(".rs")),
        };
        let stem = joined(&base, &item.ident.to_string());
        vec![format!("{stem}.rs"), format!("{stem}/mod.rs")]
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        if let Some(name) = name_of(item) {
            self.current().items.insert(name);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let for_tests = matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs));
        if !for_tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let mut module = self.module.clone();
        module.push(item.ident.to_string());
        if item.content.is_none() {
            self.declared.push(Declared { module, places: self.places_of(item) });
            return;
        }
        let outer = std::mem::replace(&mut self.module, module);
        self.enter_module();
        visit::visit_item_mod(self, item);
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_re_export = !matches!(item.vis, Visibility::Inherited);
        // A path with leading colons is another crate's.
        if item.leading_colon.is_none() {
            self.import(&item.tree, &mut Vec::new(), is_re_export);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if item.trait_.is_none()
            && let Type::Path(of) = &*item.self_ty
            && let Some(first) = of.path.segments.first()
        {
            let type_path =
                of.path.segments.iter().map(|segment| &segment.ident).collect::<Vec<_>>();
            let place = self.place(&first.ident);
            let module = self.module.clone();
            self.krate.impls.push(InherentImpl { place, module, type_path: names(&type_path) });
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let place = self.place(&item.ident);
        let name = item.ident.to_string();
        self.krate.structs.push(Struct { place, name, fields: item.fields.len() });
        visit::visit_item_struct(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention_path(path);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.visit_tokens(&call.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.visit_tokens(&list.tokens);
            self.visit_strings(&list.tokens);
        }
    }

    /// `pub(in crate::queue)` says where a name is seen, and imports nothing.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}
}

impl Visitor<'_> {
    fn mention_path(&mut self, path: &syn::Path) {
        if path.segments.len() > 1 && path.leading_colon.is_none() {
            let idents: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
            self.mention(&idents, false);
        }
    }
}

fn names(path: &[&Ident]) -> Names {
    path.iter().map(|ident| ident.to_string()).collect()
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns the string of `#[path = "…"]`.
fn path_attribute(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// True for `#[cfg(test)]`, alone or as the first of `any` or `all`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition: String = list.tokens.to_string().split_whitespace().collect();
            condition == "test"
                || ["any(test", "all(test"].iter().any(|way| condition.starts_with(way))
        }
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
