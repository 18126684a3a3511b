//! The panic boundary around user code.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code and returns its result; `None` if it panicked.
///
/// Dropping the panic's payload runs user code too and may panic again. That second panic is
/// caught here, and its payload is leaked.
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
