//! The panic boundary around user code that runs on a reactor.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code` and returns its result; `None` if it panicked, which is logged with `name`.
pub(crate) fn catch_panic<T>(name: &'static str, code: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(code));
    if result.is_err() {
        tracing::error!("{name} panicked; the server goes on");
    }
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_none() {
        assert_eq!(catch_panic("a test", || 1), Some(1));
        assert_eq!(catch_panic("a test", || panic!("on purpose")), None::<()>);
    }
}
