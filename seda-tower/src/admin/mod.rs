//! The admin side as a service of tower: report, page and metrics from inside an app.

mod body;
mod records;
mod service;

pub use body::AdminResponseBody;
pub use service::{AdminFuture, AdminService};
