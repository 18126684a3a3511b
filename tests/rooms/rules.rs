//! The rules. Each returns its faults: file, line, the import or the size, and the remedy.

use std::collections::{BTreeMap, BTreeSet};

use crate::circles;
use crate::source::{Crate, Mention};

/// A crate's sources and the order of its rooms.
#[derive(Debug)]
pub(crate) struct House {
    /// Where the sources are, from the repository's root.
    pub(crate) folder: &'static str,
    /// The rooms from top to bottom: each imports from itself and from those after it.
    pub(crate) rooms: &'static [&'static str],
    /// The files that may stand at the root.
    pub(crate) root: &'static [&'static str],
}

/// A room and its place in the order, 0 at the top.
struct Room<'f> {
    name: &'f str,
    level: usize,
}

impl House {
    /// Returns the room of a file; `None` at the root, or if its folder is no room.
    fn room<'f>(&self, file: &'f str) -> Option<Room<'f>> {
        let (name, _) = file.split_once('/')?;
        let level = self.rooms.iter().position(|room| *room == name)?;
        Some(Room { name, level })
    }
}

/// A file stands in a room, or is one of those named for the root.
pub(crate) fn files_outside_rooms(house: &House, krate: &Crate) -> Vec<String> {
    let mut faults = Vec::new();
    for file in &krate.files {
        let is_named = house.root.contains(&file.as_str());
        if house.room(file).is_none() && !is_named {
            faults.push(format!("{}/{file}: {}", house.folder, outside(house, file)));
        }
    }
    faults
}

fn outside(house: &House, file: &str) -> String {
    match file.split_once('/') {
        None => {
            let root = house.root.join(", ");
            format!("at the root stand only {root}: move the file to its room")
        }
        Some((folder, _)) => {
            let rooms = house.rooms.join(", ");
            format!("`{folder}` is no room: they are {rooms}; a new one gets its place in HOUSES")
        }
    }
}

/// A folder holds at most `most` files, those of its folders not counted.
pub(crate) fn crowded_folders(house: &House, krate: &Crate, most: usize) -> Vec<String> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &krate.files {
        *sizes.entry(file.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default() += 1;
    }
    sizes.retain(|_, files| *files > most);
    let crowded = sizes.into_iter().map(|(folder, files)| {
        format!(
            "{}/{folder}: {files} files, {most} at most: put those of one noun into a folder",
            house.folder
        )
    });
    crowded.collect()
}

/// A file imports from its own room and from lower ones. Re-exports count here. Each pair of files
/// is reported once, at its first line.
pub(crate) fn upward_imports(house: &House, krate: &Crate) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let faults = krate.mentions.iter().filter_map(|mention| {
        let definer = krate.definer(&mention.module, &mention.path)?;
        let fault = upward_import(house, mention, definer)?;
        seen.insert((&mention.place.file, definer)).then_some(fault)
    });
    faults.collect()
}

fn upward_import(house: &House, mention: &Mention, definer: &str) -> Option<String> {
    let Room { name: room, level } = house.room(&mention.place.file)?;
    let import = format!("{}: `{}` is of {definer}", at(house, mention), mention.path.join("::"));
    match house.room(definer) {
        Some(above) if above.level < level => Some(format!(
            "{import}: `{room}` stands below `{0}`. Move the definition down to `{room}`, or the \
             code that needs it up to `{0}`",
            above.name
        )),
        // The root stands above all rooms.
        None if house.root.contains(&definer) => Some(format!(
            "{import}, at the root: the root names and defines nothing. Move the definition to a \
             room"
        )),
        _ => None,
    }
}

/// An import from another room begins with `crate`.
pub(crate) fn supers_out_of_rooms(house: &House, krate: &Crate) -> Vec<String> {
    let mentions = krate.mentions.iter().filter(|mention| {
        let supers = mention.path.iter().take_while(|name| *name == "super").count();
        supers > 0 && supers >= mention.module.len() && house.room(&mention.place.file).is_some()
    });
    let faults = mentions.map(|mention| {
        let path = mention.path.join("::");
        format!("{}: `{path}` leads out of its room: begin it with `crate`", at(house, mention))
    });
    faults.collect()
}

/// No two files import each other, at any distance. Re-exports do not count here.
pub(crate) fn circles_of_files(house: &House, krate: &Crate) -> Vec<String> {
    let imports = krate.imports();
    let faults = circles::circles(&imports).into_iter().map(|circle| {
        let ways = circle.iter().map(|file| circles::shortest_way_back(&imports, file));
        let shortest = ways.min_by_key(Vec::len).unwrap_or_default();
        let steps: String = shortest.iter().map(|step| step_of(house, step)).collect();
        format!(
            "{}: {} files import each other; the shortest way round:{steps}\n  {CUT}",
            house.folder,
            circle.len()
        )
    });
    faults.collect()
}

/// How a circle is cut.
const CUT: &str = "Move a data type out of the file of its mechanism into a file of its own, or \
                   make an impl that needs more than its type a function above both";

fn step_of(house: &House, mention: &Mention) -> String {
    format!("\n    {} imports `{}`", at(house, mention), mention.path.join("::"))
}

fn at(house: &House, mention: &Mention) -> String {
    format!("{}/{}:{}", house.folder, mention.place.file, mention.place.line)
}

/// An inherent `impl` stands in the room of its type.
pub(crate) fn impls_outside_their_rooms(house: &House, krate: &Crate) -> Vec<String> {
    let faults = krate.impls.iter().filter_map(|found| {
        let room = house.room(&found.place.file)?.name;
        let definer = krate.definer(&found.module, &found.type_path)?;
        let types_room = house.room(definer).map_or("the root", |room| room.name);
        (types_room != room).then(|| {
            format!(
                "{}/{}:{}: `impl {}` stands in `{room}`, its type in `{types_room}` ({definer}): \
                 move the methods there, or make them functions of `{room}`",
                house.folder,
                found.place.file,
                found.place.line,
                found.type_path.join("::"),
            )
        })
    });
    faults.collect()
}
