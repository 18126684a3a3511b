//! Laws.

mod aimd;
mod credits;
mod drain_rate;
mod gradient;

pub use aimd::Aimd;
pub use credits::Credits;
pub use drain_rate::DrainRate;
pub use gradient::Gradient;
