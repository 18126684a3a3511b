//! The panic boundary around user code.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code; `None` if it panicked.
///
/// What it panicked with is user code too, as dropping it may panic once more: that happens in
/// here, and what comes of it in the end is leaked.
pub(crate) fn catch_panic<T>(run: impl FnOnce() -> T) -> Option<T> {
    let payload = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => return Some(result),
        Err(payload) => payload,
    };
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
    None
}
