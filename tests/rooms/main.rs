//! The places of files: every crate is a house, and its rooms are folders in one order.
//!
//! ```text
//!   testing     a file imports from its own room
//!   graph       and from rooms below it, never upward.
//!   runtime
//!   ...           |  control/plane.rs  -->  queue/lanes.rs     holds
//!   queue         v  queue/lanes.rs    -->  control/plane.rs   fails
//!   ...
//!   platform
//! ```
//!
//! - A file stands in a room of [`HOUSES`]; at the root stand only the files named there.
//! - An import leads to the file that defines the name: re-exports are followed. `use`
//!   declarations, paths in code, in macros and in serde's attributes count; items under
//!   `#[cfg(test)]` do not. A re-export counts for the order, and not for circles.
//! - `super` does not lead out of a room: an import from another room begins with `crate`.
//! - No two files of a crate import each other, at any distance.
//! - An inherent `impl` stands in the room of its type.
//! - A folder holds at most [`MOST_FILES`] files.
//! - A struct has at most [`large_structs::MOST_FIELDS`] fields. Older ones are listed with their
//!   number of fields, and may only shrink.
//!
//! A new room is a new word in [`HOUSES`], at its place in the order.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod circles;
mod large_structs;
mod made_up;
mod resolve;
mod rules;
mod source;
#[path = "../tree/mod.rs"]
mod tree;
mod visit;

use std::sync::LazyLock;

use rules::House;
use source::Crate;

/// The most files of one folder: a listing that is read at a glance.
const MOST_FILES: usize = 20;

/// The houses, their rooms from top to bottom.
const HOUSES: &[House] = &[
    House {
        folder: "seda-core/src",
        rooms: &[
            "testing", "graph", "runtime", "control", "monitor", "worker", "stage", "pool",
            "queue", "event", "gate", "config", "stats", "platform",
        ],
        root: &["lib.rs", "compile_fail.rs"],
    },
    House {
        folder: "seda-admin/src",
        rooms: &[
            "admin", "pages", "metrics", "drawing", "web", "access", "answer", "events", "figures",
        ],
        root: &["lib.rs"],
    },
    House {
        folder: "seda-http/src",
        rooms: &["tcp", "files", "http", "server", "reactor", "tls", "h1"],
        root: &["lib.rs"],
    },
    House {
        folder: "seda-tower/src",
        rooms: &["drain", "stage", "admission", "admin", "slot", "runtime"],
        root: &["lib.rs"],
    },
    House {
        folder: "seda-tools/src",
        rooms: &["cli", "top", "page", "experiment", "generator", "load", "report", "watch", "h1"],
        root: &["lib.rs", "main.rs"],
    },
    House {
        folder: "seda-sim/src",
        rooms: &["plan", "study", "run", "model", "report", "spec", "laws", "base"],
        root: &["lib.rs"],
    },
    House {
        folder: "benches/peers/src/bin/matrix",
        rooms: &["cases", "measure", "judge", "settings"],
        root: &["main.rs"],
    },
];

/// Each house with its crate, read once for all tests.
static CRATES: LazyLock<Vec<(&House, Crate)>> = LazyLock::new(|| {
    let root = tree::root();
    HOUSES.iter().map(|house| (house, Crate::read(&root.join(house.folder)))).collect()
});

/// Fails with all faults that `rule` finds, over all crates.
fn check(rule: impl Fn(&House, &Crate) -> Vec<String>) {
    let faults: Vec<_> = CRATES.iter().flat_map(|(house, krate)| rule(house, krate)).collect();
    assert!(faults.is_empty(), "{} faults:\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn every_file_stands_in_a_room() {
    check(rules::files_outside_rooms);
}

#[test]
fn a_folder_is_read_at_a_glance() {
    check(|house, krate| rules::crowded_folders(house, krate, MOST_FILES));
}

#[test]
fn imports_run_downward() {
    check(rules::upward_imports);
}

#[test]
fn super_stays_within_a_room() {
    check(rules::supers_out_of_rooms);
}

#[test]
fn no_two_files_import_each_other_at_any_distance() {
    check(rules::circles_of_files);
}

#[test]
fn an_inherent_impl_stands_in_the_room_of_its_type() {
    check(rules::impls_outside_their_rooms);
}

#[test]
fn no_large_struct_grows_and_none_is_added() {
    check(|house, krate| large_structs::changes(house, krate, large_structs::LARGE));
}
