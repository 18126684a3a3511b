//! Reading `/proc`, where what one reads may end while one reads it.

use rustix::io::Errno;
use std::{fs, io};

/// The text of a file of a process or thread; `None` if that has ended or never was.
///
/// Bytes that are no UTF-8 (a process may name itself anything) are replaced.
///
/// # Errors
///
/// Whatever else the kernel says, mostly that the reader may not look.
pub(super) fn text(path: &str) -> io::Result<Option<String>> {
    unless_ended(fs::read(path))
        .map(|bytes| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The numbers that name a directory's entries: processes in `/proc`, threads in `/proc/PID/task`.
/// None of them if what the directory tells of has ended.
///
/// # Errors
///
/// As [`text`].
pub(super) fn numbers(path: &str) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in unless_ended(fs::read_dir(path))?.into_iter().flatten() {
        let Some(entry) = unless_ended(entry)? else { break };
        found.extend(entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(found)
}

/// A file that is missing says so when it is opened; one whose process ended between opening and
/// reading says ESRCH, for which `std` has no name.
fn unless_ended<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_none_and_what_may_not_be_read_is_an_error() {
        assert!(text("/proc/self/stat").unwrap().is_some());
        // Above every pid there can be: the kernel's limit is 2^22.
        assert_eq!(text("/proc/4194305/stat").unwrap(), None);
        assert_eq!(numbers("/proc/4194305/task").unwrap(), Vec::<u32>::new());
        let ended = unless_ended::<()>(Err(Errno::SRCH.into()));
        assert!(matches!(ended, Ok(None)));
        let forbidden = unless_ended::<()>(Err(Errno::ACCESS.into()));
        assert_eq!(forbidden.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn the_numbers_in_proc_are_the_processes() {
        assert!(numbers("/proc").unwrap().contains(&std::process::id()));
        assert!(numbers("/proc/self/task").unwrap().contains(&std::process::id()));
    }
}
