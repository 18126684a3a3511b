//! The CPU time of a process by the names of its threads.

use std::fs;

/// Returns the CPU seconds of the front: the threads with none of `burners` as a name prefix.
/// `None` if the kernel does not tell, or if the process has no burner.
///
/// The figure is exact to the nanosecond. Threads that have ended are missing from it, which is
/// harmless: a server's front lives as long as the server.
pub(crate) fn front_seconds(pid: u32, burners: &[String]) -> Option<f64> {
    let mut nanos = 0;
    let mut burns = false;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let task = task.ok()?.path();
        // A thread that ends meanwhile has no files any more.
        let Ok(name) = fs::read_to_string(task.join("comm")) else { continue };
        let Ok(stat) = fs::read_to_string(task.join("schedstat")) else { continue };
        if is_burner(&name, burners) {
            burns = true;
        } else {
            nanos += cpu_nanos(&stat)?;
        }
    }
    burns.then_some(nanos as f64 / 1e9)
}

fn is_burner(name: &str, burners: &[String]) -> bool {
    burners.iter().any(|burner| name.starts_with(burner.as_str()))
}

/// Returns the first field of `schedstat`, the time on a core.
fn cpu_nanos(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burner_is_known_by_the_prefix_of_its_name() {
        let burners = ["work-".to_owned(), "sleep-".to_owned()];
        assert!(is_burner("work-0\n", &burners) && is_burner("sleep-12\n", &burners));
        assert!(!is_burner("reactor-0\n", &burners) && !is_burner("web_server\n", &burners));
    }

    #[test]
    fn the_first_field_of_schedstat_is_time_on_a_core() {
        assert_eq!(cpu_nanos("3377977 799898 7\n"), Some(3_377_977));
        assert_eq!((cpu_nanos(""), cpu_nanos("x 1 2")), (None, None));
    }

    #[test]
    fn a_process_without_a_burner_has_no_front() {
        assert_eq!(front_seconds(std::process::id(), &["no such thread".to_owned()]), None);
    }
}
