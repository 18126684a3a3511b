//! The policies that a program sets in place of the default ones.

use crate::control::batch_size::BatchSizePolicy;
use crate::control::pool_size::PoolSizePolicy;
use crate::monitor::MakeLaw;

/// Makes the policy of one pool, or of one stage, by its name.
type Make<P> = Box<dyn Fn(&str) -> Box<P> + Send>;

/// The policies of a graph; a `None` is the default one.
#[derive(Default)]
pub(super) struct Policies {
    pub(super) pool_size: Option<Make<dyn PoolSizePolicy>>,
    pub(super) batch_size: Option<Make<dyn BatchSizePolicy>>,
    pub(super) law: Option<MakeLaw>,
}
