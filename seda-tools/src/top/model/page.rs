//! The tables that can be shown.

/// The table that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Page {
    #[default]
    Stages,
    Classes,
    Edges,
}

impl Page {
    /// Returns the page after this one, in a circle.
    pub(super) fn next(self) -> Self {
        match self {
            Page::Stages => Page::Classes,
            Page::Classes => Page::Edges,
            Page::Edges => Page::Stages,
        }
    }
}
