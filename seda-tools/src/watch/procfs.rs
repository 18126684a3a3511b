//! Reads `/proc`; its processes may end during a reading.

use rustix::io::Errno;
use std::{fs, io};

/// Reads a file of a process or thread; `None` if it has ended or does not exist.
///
/// Bytes that are not UTF-8 are replaced, because a process may have any name.
///
/// # Errors
///
/// Fails on any other error of the kernel, mostly because the reader lacks permission.
pub(super) fn text(path: &str) -> io::Result<Option<String>> {
    unless_ended(fs::read(path))
        .map(|bytes| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns the entries of a directory that have numbers as names: processes in `/proc`, threads in
/// `/proc/PID/task`. Returns none if the process has ended.
///
/// # Errors
///
/// Fails as [`text`].
pub(super) fn numbers(path: &str) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in unless_ended(fs::read_dir(path))?.into_iter().flatten() {
        let Some(entry) = unless_ended(entry)? else { break };
        found.extend(entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(found)
}

/// Returns `None` for the errors of an ended process: a missing file, or ESRCH if the process ended
/// between opening and reading.
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
    fn an_ended_process_is_none_and_a_missing_permission_is_an_error() {
        assert!(text("/proc/self/stat").unwrap().is_some());
        // The limit of the kernel for pids is 2^22.
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
