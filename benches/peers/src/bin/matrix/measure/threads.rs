//! CPU time of a process by its threads' names.

use std::fs;

/// CPU seconds of the threads of a process whose names begin with none of `burners`; `None` if the
/// kernel does not tell, or if there is no thread that does.
///
/// Exact to the nanosecond, but what has ended is not in it: the front of a server lives as long as
/// the server, its workers need not.
pub(crate) fn front_seconds(pid: u32, burners: &[String]) -> Option<f64> {
    let (mut nanos, mut burns) = (0, false);
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let task = task.ok()?.path();
        let read = |name: &str| fs::read_to_string(task.join(name)).ok();
        let (Some(name), Some(stat)) = (read("comm"), read("schedstat")) else { continue };
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

/// Its first field is time on a core.
fn cpu_nanos(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burner_is_known_by_how_its_name_begins() {
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
    fn a_process_in_which_nobody_burns_has_no_front() {
        assert_eq!(front_seconds(std::process::id(), &["no such thread".to_owned()]), None);
    }
}
