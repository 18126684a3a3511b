//! The policies that a program sets in place of the default ones.

use crate::control::{BatchSizePolicy, MakeLaw, PoolSizePolicy};

/// Makes the policy of one pool, or of one stage, by its name.
type Make<P> = Box<dyn Fn(&str) -> Box<P> + Send>;

/// The factories of policies; `None` selects the default policy.
#[derive(Default)]
pub(super) struct PolicyFactories {
    pub(super) pool_size: Option<Make<dyn PoolSizePolicy>>,
    pub(super) batch_size: Option<Make<dyn BatchSizePolicy>>,
    pub(super) law: Option<MakeLaw>,
}
