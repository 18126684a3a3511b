//! Connections that a full listen queue turned away: `/proc/PID/net/netstat`.

use super::procfs;
use std::io;

/// Counted for the whole network namespace since it began: other servers in it count too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListenCounts {
    /// A handshake was complete and the accept queue full.
    pub(super) overflows: u64,
    /// All that a listening socket threw away: overflows, and what else went wrong.
    pub(super) drops: u64,
}

impl ListenCounts {
    /// Reads the counts of the namespace that a process is in; zeros if the kernel tells none.
    ///
    /// # Errors
    ///
    /// As [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let text = procfs::text(&format!("/proc/{pid}/net/netstat"))?;
        Ok(text.as_deref().map(Self::parse).unwrap_or_default())
    }

    /// Lines come in pairs that begin alike: names, then numbers.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
        let (names, numbers) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
        let mut counts = Self::default();
        for (name, number) in names.split_ascii_whitespace().zip(numbers.split_ascii_whitespace()) {
            match name {
                "ListenOverflows" => counts.overflows = number.parse().unwrap_or(0),
                "ListenDrops" => counts.drops = number.parse().unwrap_or(0),
                _ => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        let text = "IpExt: ListenDrops\nIpExt: 99\nTcpExt: TW ListenOverflows ListenDrops X\n\
            TcpExt: 5 6 7 8\n";
        assert_eq!(ListenCounts::parse(text), ListenCounts { overflows: 6, drops: 7 });
        assert_eq!(ListenCounts::parse("TcpExt: TW\n"), ListenCounts::default());
    }
}
