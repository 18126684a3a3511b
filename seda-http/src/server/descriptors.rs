//! The number of descriptors that the process may have.

use thiserror::Error;

/// Descriptors beside those of connections: newcomers at the bound, reactors, and the program's own
/// files.
const RESERVE: u64 = 256;

/// The reason why not all connections can have a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "this process may have {limit} descriptors, and `connections` = {connections} needs {needed}: \
     raise the hard limit (`ulimit -Hn {needed}`, or `LimitNOFILE={needed}` of systemd), or lower \
     `connections`"
)]
struct DescriptorShortage {
    connections: usize,
    needed: u64,
    limit: u64,
}

/// The soft limit that the process should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SoftLimit {
    /// `None` leaves the present one.
    raise_to: Option<u64>,
    /// The limit is too low nevertheless.
    shortage: Option<DescriptorShortage>,
}

impl SoftLimit {
    /// Returns the limit for this number of connections. `None` as a limit is no limit.
    fn for_connections(connections: usize, soft: Option<u64>, hard: Option<u64>) -> Self {
        let needed = (connections as u64).saturating_add(RESERVE);
        let Some(soft) = soft.filter(|soft| *soft < needed) else {
            return Self { raise_to: None, shortage: None };
        };
        let limit = hard.map_or(needed, |hard| hard.min(needed)).max(soft);
        let shortage = DescriptorShortage { connections, needed, limit };
        Self {
            raise_to: (limit > soft).then_some(limit),
            shortage: (limit < needed).then_some(shortage),
        }
    }
}

/// Raises the soft limit of the process to what this number of connections needs, at most to the
/// hard limit. A limit that is still too low is logged.
#[cfg(target_os = "linux")]
pub(super) fn provide(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let SoftLimit { raise_to, shortage } =
        SoftLimit::for_connections(connections, current, maximum);
    if let Some(limit) = raise_to {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum }) {
            Ok(()) => tracing::debug!(limit, "raised the soft limit of descriptors"),
            Err(error) => tracing::warn!(%error, limit, "cannot raise the limit of descriptors"),
        }
    }
    if let Some(shortage) = shortage {
        tracing::warn!("{shortage}");
    }
}

/// Other systems have other limits, which the operator sets.
#[cfg(not(target_os = "linux"))]
pub(super) fn provide(_connections: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_need_and_not_beyond_the_hard_limit() {
        let limit = |soft, hard| SoftLimit::for_connections(1_000, soft, hard);
        let (enough, needed) = (SoftLimit { raise_to: None, shortage: None }, 1_256);
        assert_eq!(limit(None, None), enough);
        assert_eq!(limit(Some(needed), Some(needed)), enough);
        let raised = SoftLimit { raise_to: Some(needed), shortage: None };
        assert_eq!([limit(Some(64), None), limit(Some(64), Some(9_999))], [raised; 2]);
        let shortage = DescriptorShortage { connections: 1_000, needed, limit: 512 };
        let short = SoftLimit { raise_to: Some(512), shortage: Some(shortage) };
        assert_eq!(limit(Some(64), Some(512)), short);
        assert_eq!(limit(Some(512), Some(512)), SoftLimit { raise_to: None, ..short });
    }

    #[test]
    fn a_shortage_names_both_numbers_and_the_remedy() {
        let shortage = DescriptorShortage { connections: 10_000, needed: 10_256, limit: 1_024 };
        let text = shortage.to_string();
        for part in ["may have 1024 descriptors", "`connections` = 10000", "`ulimit -Hn 10256`"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
