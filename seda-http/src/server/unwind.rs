//! The panic boundary around code of the user's that runs on a reactor.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code` on this reactor; `None` if it panicked, which is logged as a panic of `what`.
pub(crate) fn catch_panic<T>(what: &'static str, code: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(code));
    if result.is_err() {
        tracing::error!("{what} panicked on a reactor");
    }
    result.ok()
}
