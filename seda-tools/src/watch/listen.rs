//! Connections that a full listen queue rejected: `/proc/PID/net/netstat`.

use super::procfs;
use std::io;

/// Counts of the whole network namespace since it began, other servers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListenCounts {
    /// Complete handshakes that found the accept queue full.
    pub(super) overflows: u64,
    /// All connections that listening sockets dropped, overflows included.
    pub(super) drops: u64,
}

impl ListenCounts {
    /// Reads the counts of the namespace of a process; zeros if the kernel has none.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let text = procfs::text(&format!("/proc/{pid}/net/netstat"))?;
        Ok(text.as_deref().map(Self::parse).unwrap_or_default())
    }

    /// Parses pairs of lines with the same prefix: names, then numbers.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
        let (Some(names), Some(numbers)) = (lines.next(), lines.next()) else {
            return Self::default();
        };
        let mut counts = Self::default();
        for (name, number) in names.split_ascii_whitespace().zip(numbers.split_ascii_whitespace()) {
            match name {
                "ListenOverflows" => counts.overflows = number.parse().unwrap_or_default(),
                "ListenDrops" => counts.drops = number.parse().unwrap_or_default(),
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
