//! Structs with many fields. The list is a ratchet: it only gets shorter.

use crate::rules::House;
use crate::source::{Crate, Struct};

/// The most fields of a struct that is not listed.
pub(crate) const MOST_FIELDS: usize = 12;

/// A struct that is larger than [`MOST_FIELDS`]: its crate's folder, its name, its fields.
pub(crate) type Listed = (&'static str, &'static str, usize);

/// The large structs of today. A struct that is split leaves the list.
pub(crate) const LARGE: &[Listed] = &[
    ("seda-core/src", "StageReport", 37),
    ("seda-core/src", "StageWindow", 20),
    ("seda-core/src", "Context", 18),
    ("seda-core/src", "StageObservation", 21),
    ("seda-core/src", "AdmissionObservation", 24),
    ("seda-core/src", "GraphShared", 15),
    ("seda-core/src", "Graph", 13),
    ("seda-core/src", "ControlConfig", 14),
    ("seda-core/src", "PoolObservation", 17),
    ("seda-core/src", "QueueFigures", 16),
    ("seda-core/src", "Report", 16),
    ("seda-core/src", "Monitor", 13),
    ("seda-core/src", "StageSums", 13),
    ("seda-http/src", "Reactor", 16),
    ("seda-http/src", "HttpConfig", 16),
    ("seda-tools/src", "LoadReport", 31),
    ("seda-tools/src", "Point", 19),
    ("seda-tools/src", "Sockets", 17),
    ("seda-tools/src", "ServerReport", 15),
    ("seda-tools/src", "Tally", 15),
    ("seda-tools/src", "LoadPlan", 14),
    ("seda-tools/src", "Sample", 14),
    ("seda-tools/src", "SweepPlan", 13),
    ("seda-sim/src", "SimReport", 25),
    ("seda-sim/src", "Tally", 21),
    ("seda-sim/src", "Clients", 16),
    ("seda-sim/src", "Spec", 18),
    ("seda-sim/src", "StageSpec", 14),
    ("benches/peers/src/bin/matrix", "OverloadSpec", 17),
    ("benches/peers/src/bin/matrix", "Cells", 13),
];

/// Returns what differs from `listed`: structs that are new, have grown, have shrunk or are gone.
pub(crate) fn changes(house: &House, krate: &Crate, listed: &[Listed]) -> Vec<String> {
    let listed: Vec<_> = listed.iter().filter(|(folder, ..)| *folder == house.folder).collect();
    let mut faults: Vec<_> = krate
        .structs
        .iter()
        .filter_map(|found| {
            let entry = listed.iter().find(|(_, name, _)| *name == found.name);
            change(house, found, entry.map(|(_, _, fields)| *fields))
        })
        .collect();
    let gone = listed.iter().filter(|(_, name, _)| krate.structs.iter().all(|s| s.name != *name));
    faults.extend(gone.map(|(folder, name, fields)| {
        format!(
            "{folder}: there is no struct `{name}`: remove (\"{folder}\", \"{name}\", {fields})"
        )
    }));
    faults
}

fn change(house: &House, found: &Struct, listed: Option<usize>) -> Option<String> {
    let folder = house.folder;
    let Struct { place, name, fields } = found;
    let entry = format!("(\"{folder}\", \"{name}\", {fields})");
    let what = match listed {
        None if *fields <= MOST_FIELDS => return None,
        None => format!("{MOST_FIELDS} at most: make fields that belong together a type. {entry}"),
        Some(most) if *fields > most => {
            format!("{most} before: make fields that belong together a type")
        }
        Some(_) if *fields <= MOST_FIELDS => "no longer large: remove it from LARGE".to_owned(),
        Some(most) if *fields < most => format!("{most} before: write {entry} in LARGE"),
        Some(_) => return None,
    };
    Some(format!("{folder}/{}:{}: `{name}` has {fields} fields, {what}", place.file, place.line))
}
