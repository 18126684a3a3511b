//! The time that the host took from a virtual machine: `/proc/stat` (proc_stat(5)).

use super::procfs;
use std::io;

/// The ticks of all cores since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MachineTicks {
    /// All ticks.
    pub(super) total: u64,
    /// Ticks in which a core was ready and the host ran another machine.
    pub(super) stolen: u64,
}

impl MachineTicks {
    /// Reads the ticks; zeros if the kernel does not count them.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read() -> io::Result<Self> {
        Ok(procfs::text("/proc/stat")?.as_deref().map(Self::parse).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        /// User, nice, system, idle, iowait, irq, softirq, steal. The two behind them are in user.
        const COUNTED: usize = 8;

        let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        let ticks = line.split_ascii_whitespace().take(COUNTED);
        let ticks: Vec<u64> = ticks.map(|word| word.parse().unwrap_or_default()).collect();
        let stolen = ticks.get(COUNTED - 1).copied().unwrap_or_default();
        Self { total: ticks.iter().sum(), stolen }
    }

    /// Returns the share of stolen ticks since `earlier`.
    pub(super) fn stolen_share(self, earlier: Self) -> f64 {
        let total = self.total.saturating_sub(earlier.total);
        let stolen = self.stolen.saturating_sub(earlier.stolen);
        if total > 0 { stolen as f64 / total as f64 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_ticks_are_a_share_of_all() {
        let before = MachineTicks::parse("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 2 3\n");
        assert_eq!(before, MachineTicks { total: 100, stolen: 10 });
        let after = MachineTicks::parse("cpu  10 0 10 70 0 0 0 35 5 0\n");
        assert_eq!(after.stolen_share(before), 1.0);
        assert_eq!((after.stolen_share(after), MachineTicks::parse("").total), (0.0, 0));
    }
}
