//! Each rule on made-up crates: it reports its fault, and passes a correct crate.

use crate::large_structs::{self, Listed};
use crate::rules::{self, House};
use crate::source::Crate;

const HOUSE: House =
    House { folder: "src", rooms: &["top", "middle", "bottom"], root: &["lib.rs"] };

/// Makes a crate of three rooms: `top/mod.rs`, `middle/mod.rs`, `bottom/mod.rs` and `files`.
fn krate(files: &[(&str, &str)]) -> Crate {
    let rooms = [
        ("lib.rs", "mod top; mod middle; mod bottom; pub use top::Top;"),
        ("top/mod.rs", "pub struct Top;"),
        ("middle/mod.rs", "pub struct Middle;"),
        ("bottom/mod.rs", "mod part; pub use part::Part; pub struct Bottom;"),
        ("bottom/part.rs", "pub struct Part;"),
    ];
    let files = rooms.iter().chain(files);
    Crate::of(files.map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
}

/// Makes the same crate with this text in `middle/mod.rs`.
fn middle(text: &str) -> Crate {
    krate(&[("middle/mod.rs", text)])
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
fn files_stand_in_rooms_only() {
    assert_none(&rules::files_outside_rooms(&HOUSE, &krate(&[])));
    let stray = krate(&[("stray.rs", "")]);
    assert_one(&rules::files_outside_rooms(&HOUSE, &stray), &["src/stray.rs", "lib.rs"]);
    let cellar = krate(&[("cellar/mod.rs", "")]);
    assert_one(&rules::files_outside_rooms(&HOUSE, &cellar), &["`cellar` is no room", "HOUSES"]);
}

#[test]
fn a_folder_with_more_files_than_the_limit_is_seen() {
    assert_none(&rules::crowded_folders(&HOUSE, &krate(&[]), 2));
    let crowded = krate(&[("bottom/third.rs", "")]);
    assert_one(&rules::crowded_folders(&HOUSE, &crowded, 2), &["src/bottom: 3 files"]);
}

#[test]
fn an_upward_import_is_seen_in_any_form() {
    for text in [
        "use crate::top::Top;",
        "use crate::{bottom::Bottom, top::{self}};",
        "fn f() { use crate::top::Top; }",
        "fn f() -> crate::top::Top { todo!() }",
        "fn f() { vec![crate::top::Top]; }",
        "macro_rules! m { () => { crate::top::Top }; }",
        "mod inner { use crate::top::*; }",
        "#[derive(Debug)] struct A { #[serde(with = \"crate::top\")] b: u8 }",
        "pub(crate) use crate::top::Top;",
        // The root re-exports it: the import leads to the file behind.
        "use crate::Top;",
    ] {
        let faults = rules::upward_imports(&HOUSE, &middle(text));
        assert_one(&faults, &["src/middle/mod.rs:1", "top/mod.rs", "`middle` stands below `top`"]);
    }
}

#[test]
fn imports_of_the_own_room_and_of_lower_rooms_pass() {
    for text in [
        "use crate::bottom::{Bottom, Part}; fn f() { Part::new(); }",
        "fn f() { crate::bottom::Part::new(); } struct Own; use self::Own as Mine;",
        "use std::top::Top; use ::top::Top as Other; pub(in crate::top) fn f() {}",
        "#[cfg(test)] mod tests { use crate::top::Top; } /* crate::top::Top */",
        "struct A; impl A { #[cfg(any(test, feature = \"a\"))] fn f() { crate::top::f(); } }",
    ] {
        assert_none(&rules::upward_imports(&HOUSE, &middle(text)));
    }
}

#[test]
fn a_file_and_its_definer_are_reported_once() {
    let twice = middle("use crate::top::Top;\nfn f() { Top::new(); crate::top::Top::new(); }");
    assert_one(&rules::upward_imports(&HOUSE, &twice), &["src/middle/mod.rs:1"]);
}

#[test]
fn the_root_defines_nothing() {
    let defines = krate(&[
        ("lib.rs", "mod top; mod middle; pub struct Root;"),
        ("middle/mod.rs", "use crate::Root;"),
    ]);
    assert_one(&rules::upward_imports(&HOUSE, &defines), &["lib.rs, at the root"]);
}

#[test]
fn super_leads_to_the_rooms_root_and_no_further() {
    let inside = krate(&[("bottom/part.rs", "use super::Bottom; mod a { use super::super::B; }")]);
    assert_none(&rules::supers_out_of_rooms(&HOUSE, &inside));
    let remedy = "begin it with `crate`";
    for text in ["use super::bottom::Part;", "mod a { fn f() { super::super::bottom::f(); } }"] {
        assert_one(&rules::supers_out_of_rooms(&HOUSE, &middle(text)), &["mod.rs:1", remedy]);
    }
    let part = krate(&[("bottom/part.rs", "\nuse super::super::top::Top;")]);
    assert_one(&rules::supers_out_of_rooms(&HOUSE, &part), &["src/bottom/part.rs:2", remedy]);
}

#[test]
fn a_circle_is_seen_at_any_distance() {
    let circle = krate(&[
        ("top/mod.rs", "use crate::bottom::Part;"),
        ("bottom/part.rs", "pub struct Part(super::Bottom);"),
        ("bottom/mod.rs", "mod part; pub use part::Part; pub struct Bottom(crate::middle::M);"),
        ("middle/mod.rs", "use crate::bottom::Part; pub struct M(Part);"),
    ]);
    assert_one(
        &rules::circles_of_files(&HOUSE, &circle),
        &["3 files import each other", "src/middle/mod.rs:1 imports `crate::bottom::Part`"],
    );
}

#[test]
fn a_re_export_closes_no_circle() {
    let parts = krate(&[
        ("bottom/part.rs", "use super::Bottom; pub struct Part;"),
        ("middle/mod.rs", "use crate::bottom::Part;"),
    ]);
    assert_none(&rules::circles_of_files(&HOUSE, &parts));
}

#[test]
fn an_inherent_impl_away_from_its_type_is_seen() {
    for text in ["use crate::bottom::Part; impl Part {}", "impl crate::bottom::Part {}"] {
        assert_one(
            &rules::impls_outside_their_rooms(&HOUSE, &middle(text)),
            &["src/middle/mod.rs:1", "stands in `middle`, its type in `bottom` (bottom/part.rs)"],
        );
    }
    for text in ["struct A; impl A {}", "use crate::bottom::Part; impl Clone for Part {}"] {
        assert_none(&rules::impls_outside_their_rooms(&HOUSE, &middle(text)));
    }
}

#[test]
fn the_list_of_large_structs_only_gets_shorter() {
    let fields = |n: usize| format!("pub struct Many({});", "u8,".repeat(n));
    let changes =
        |text: &str, listed: &[Listed]| large_structs::changes(&HOUSE, &middle(text), listed);
    let listed = [("src", "Many", 14)];

    assert_none(&changes(&fields(12), &[]));
    assert_none(&changes(&fields(14), &listed));
    assert_none(&changes(&fields(12), &[("elsewhere", "Many", 14)]));

    assert_one(&changes(&fields(13), &[]), &["13 fields, 12 at most", "src/middle/mod.rs:1"]);
    assert_one(&changes(&fields(15), &listed), &["15 fields, 14 before"]);
    assert_one(&changes(&fields(13), &listed), &["write (\"src\", \"Many\", 13)"]);
    assert_one(&changes(&fields(12), &listed), &["remove it"]);
    assert_one(&changes("", &listed), &["no struct `Many`", "remove"]);
}
