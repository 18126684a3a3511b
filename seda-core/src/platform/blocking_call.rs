//! The system call in which a thread of this process is blocked.
//!
//! The source is `/proc/self/task/TID/syscall` (proc_pid_syscall(5)): the number of the call and
//! its arguments, `running`, or `-1` for a thread that is blocked outside any call, as in a page
//! fault. A process may read it about its own threads without a privilege.

use crate::platform::ThreadId;
use std::fs;

/// The system call in which a thread is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BlockingCall {
    /// A wait on the futex at this address: a lock, a condition, or another thread's wake.
    Futex(u64),
    /// A sleep.
    Sleep,
    /// A read from or a write to this descriptor: a socket, a pipe or a file.
    Io(i32),
    /// A wait for one of several descriptors.
    Poll,
    /// A call that is none of these.
    Other,
    /// No call: a page fault, or a wait that nothing interrupts.
    Fault,
}

/// The state of a thread at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadState {
    /// It runs or waits for a core.
    Runs,
    /// It is blocked.
    Blocked(BlockingCall),
}

impl ThreadState {
    /// Reads the state of a thread of this process; `None` if the kernel does not tell.
    pub(crate) fn of(thread: ThreadId) -> Option<Self> {
        Self::parse(&fs::read_to_string(thread.path("syscall")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let number = match words.next()? {
            "running" => return Some(Self::Runs),
            number => number.parse::<i64>().ok()?,
        };
        let first = words.next().and_then(|word| word.strip_prefix("0x"));
        let first = first.and_then(|word| u64::from_str_radix(word, 16).ok())?;
        Some(Self::Blocked(BlockingCall::of(number, first)))
    }
}

impl BlockingCall {
    /// Names the call of this number by what its first argument means.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn of(number: i64, first: u64) -> Self {
        match number {
            -1 => Self::Fault,
            libc::SYS_futex => Self::Futex(first),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Self::Sleep,
            libc::SYS_ppoll | libc::SYS_pselect6 | libc::SYS_epoll_pwait => Self::Poll,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll | libc::SYS_select | libc::SYS_epoll_wait => Self::Poll,
            libc::SYS_read
            | libc::SYS_readv
            | libc::SYS_pread64
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_accept4
            | libc::SYS_connect
            | libc::SYS_write
            | libc::SYS_writev
            | libc::SYS_pwrite64
            | libc::SYS_sendto
            | libc::SYS_sendmsg
            | libc::SYS_fsync
            | libc::SYS_fdatasync
            | libc::SYS_flock => i32::try_from(first).map_or(Self::Other, Self::Io),
            _ => Self::Other,
        }
    }

    /// Elsewhere the numbers of calls are unknown.
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    fn of(_number: i64, _first: u64) -> Self {
        Self::Other
    }
}

/// Returns the kind of the file behind a descriptor of this process: `socket`, `pipe`, or its path;
/// `None` without procfs, or if the descriptor is closed.
pub(crate) fn descriptor_target(descriptor: i32) -> Option<String> {
    let target = fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
    let target = target.to_string_lossy();
    // `socket:[4711]` has the number of an inode, which tells a reader nothing.
    let name = target.split_once(":[").map_or(&*target, |(kind, _)| kind);
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_names_the_call_and_what_it_waits_for() {
        let blocked = |line: &str| match ThreadState::parse(line) {
            Some(ThreadState::Blocked(call)) => call,
            other => panic!("{line} reads as {other:?}"),
        };
        let futex = format!("{} 0x7f00beef 0x189 0x0 0x0 0x0 0x0 0x1 0x2", libc::SYS_futex);
        assert_eq!(blocked(&futex), BlockingCall::Futex(0x7f00_beef));
        let sleep = format!("{} 0x1 0x0 0x7ff 0x0 0x0 0x0 0x1 0x2", libc::SYS_clock_nanosleep);
        assert_eq!(blocked(&sleep), BlockingCall::Sleep);
        let read = format!("{} 0x7 0x7ff 0x10 0x0 0x0 0x0 0x1 0x2", libc::SYS_read);
        assert_eq!(blocked(&read), BlockingCall::Io(7));
        assert_eq!(blocked("-1 0x7ff 0x7f0"), BlockingCall::Fault);
        assert_eq!(ThreadState::parse("running\n"), Some(ThreadState::Runs));
        assert_eq!(ThreadState::parse(""), None);
        assert_eq!(ThreadState::parse("what 0x1"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_thread_that_waits_on_a_channel_is_blocked_in_a_futex() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let waits = move || {
            tell.send(ThreadId::current()).expect("the test reads");
            ended.recv().expect("the test ends the thread");
        };
        let thread = std::thread::Builder::new().name("waiter".to_owned()).spawn(waits);
        let thread = thread.expect("the machine has a thread");
        let id = told.recv().expect("the thread tells").expect("Linux has procfs");
        let is_futex = |state| matches!(state, Some(ThreadState::Blocked(BlockingCall::Futex(_))));
        while !is_futex(ThreadState::of(id)) {
            std::thread::yield_now();
        }
        end.send(()).expect("the thread waits");
        thread.join().expect("the thread ends");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_descriptor_is_named_by_the_file_behind_it() {
        use std::os::fd::AsRawFd;
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        assert_eq!(descriptor_target(socket.as_raw_fd()).as_deref(), Some("socket"));
        assert_eq!(descriptor_target(-1), None);
    }
}
