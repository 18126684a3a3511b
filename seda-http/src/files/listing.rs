//! The names in a directory as a page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::fs::{Dir, FileType};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;

/// The most names of a page, 2 MB of them.
const NAMES_MOST: usize = 10_000;

/// Characters that are encoded in a link.
const LINK: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The names in a directory that can be asked for, sorted.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Those of directories end with a slash.
    names: BTreeSet<String>,
    /// The directory has more names.
    is_cut: bool,
}

impl Listing {
    /// Reads a directory. Names that begin with a dot are left out unless `dotfiles` is true.
    pub(super) fn read(directory: &File, dotfiles: bool) -> io::Result<Self> {
        let mut listing = Self::default();
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let is_parent = matches!(name, "." | "..");
            if is_parent || name.contains('\\') || (!dotfiles && name.starts_with('.')) {
                continue;
            }
            if listing.names.len() == NAMES_MOST {
                listing.is_cut = true;
                break;
            }
            match entry.file_type() {
                FileType::Directory => listing.names.insert(format!("{name}/")),
                // A link may lead to a file or a directory; the answer to its path tells.
                FileType::RegularFile | FileType::Symlink | FileType::Unknown => {
                    listing.names.insert(name.to_owned())
                }
                _ => continue,
            };
        }
        Ok(listing)
    }

    /// Returns the page of the directory with this path below the root, which ends with a slash or
    /// is empty.
    pub(super) fn page(&self, path: &str) -> String {
        let title = escaped(&format!("/{path}"));
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n"
        );
        if !path.is_empty() {
            page.push_str("<li><a href=\"../\">../</a></li>\n");
        }
        for name in &self.names {
            let (bare, slash) = name.strip_suffix('/').map_or((name.as_str(), ""), |it| (it, "/"));
            let link = utf8_percent_encode(bare, LINK);
            let shown = escaped(name);
            page.push_str(&format!("<li><a href=\"{link}{slash}\">{shown}</a></li>\n"));
        }
        page.push_str("</ul>\n");
        if self.is_cut {
            page.push_str(&format!("<p>The first {NAMES_MOST} names; there are more.</p>\n"));
        }
        page.push_str("</body>\n</html>\n");
        page
    }
}

/// Returns a text as HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            character => html.push(character),
        }
    }
    html
}
