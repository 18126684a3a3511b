//! The end of a connection that its server decides on.

/// What a reactor does with its connections on the way to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing: it serves.
    #[default]
    None,
    /// It serves, and closes each connection after its next answer, so that its client opens the
    /// next one elsewhere.
    AfterAnswers,
    /// It accepts no connections, finishes all begun requests and closes the other connections.
    Drain,
}

impl Ending {
    pub(crate) fn is_drain(self) -> bool {
        self == Self::Drain
    }
}
