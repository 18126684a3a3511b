//! The parts of seda's HTML pages: the style and the elements that all of them share, and the files
//! of the live page.
//!
//! `seda sweep` and its neighbours put the shared parts into the pages that they write, so that a
//! measured server and a running one look alike.
//!
//! The room imports no other. Figures do not belong here: a page reads them as JSON.

/// Colours by name, light and dark, as custom properties of CSS.
pub const PALETTE: &str = include_str!("shared/palette.css");

/// Text, tables, lists of facts and figures. It uses [`PALETTE`].
pub const BASE_STYLE: &str = include_str!("shared/base.css");

/// Numbers with their units, as functions of JavaScript.
pub const UNITS_SCRIPT: &str = include_str!("shared/units.js");

/// Headings, tables and other elements, as functions of JavaScript. It uses [`UNITS_SCRIPT`].
pub const ELEMENTS_SCRIPT: &str = include_str!("shared/elements.js");

/// The graph as a drawing; in the drawing itself, and in the page that shows it.
pub(crate) const FLOW_STYLE: &str = include_str!("live/flow.css");

/// The live page. It loads [`LIVE_STYLE`] and [`LIVE_SCRIPT`] from its own folder, so that its
/// policy forbids everything that stands in the page itself.
pub(crate) const LIVE_PAGE: &str = include_str!("live/index.html");

pub(crate) const LIVE_STYLE: &str = concat!(
    include_str!("shared/palette.css"),
    include_str!("shared/base.css"),
    include_str!("live/flow.css"),
    include_str!("live/live.css"),
);

/// The scripts in order: each file uses declarations of earlier files; the last one starts.
pub(crate) const LIVE_SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("shared/units.js"),
    include_str!("shared/elements.js"),
    include_str!("live/drawing.js"),
    include_str!("live/live_table.js"),
    include_str!("live/past.js"),
    include_str!("live/bottleneck.js"),
    include_str!("live/flow.js"),
    include_str!("live/stages.js"),
    include_str!("live/classes.js"),
    include_str!("live/journal.js"),
    include_str!("live/stream.js"),
    include_str!("live/keys.js"),
    include_str!("live/live.js"),
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound of the whole page in bytes: it loads at once over a slow tunnel.
    const PAGE_BYTES: usize = 150 * 1024;

    #[test]
    fn the_live_page_is_small_and_fetches_from_its_own_folder_alone() {
        assert!(LIVE_PAGE.len() + LIVE_STYLE.len() + LIVE_SCRIPT.len() < PAGE_BYTES);
        for text in [LIVE_PAGE, LIVE_STYLE, LIVE_SCRIPT] {
            // The name of the namespace of SVG is the only address.
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("://") && !text.contains("@import"));
        }
    }

    #[test]
    fn the_live_page_runs_under_a_policy_without_inline_code() {
        for inline in ["<style", "<script>", " style=", " onclick=", "javascript:"] {
            assert!(!LIVE_PAGE.contains(inline), "{inline}");
        }
        for inline in ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", "style:"] {
            assert!(!LIVE_SCRIPT.contains(inline), "{inline}");
        }
    }
}
