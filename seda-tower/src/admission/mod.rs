//! The layer that decides which requests get in.
//!
//! - `layer`: the settings, and the graph that the services share;
//! - `service`, `future`, `body`: one request, from its call to the end of its answer;
//! - `graph`, `driver`: the stage of the requests, and the turns of its worker;
//! - `entry`, `permit`: a request in the queue, and its place while it runs;
//! - `routes`: the names of routes, each with a demand of its own;
//! - `refusal`, `retry_after`, `deadline`, `head`: the form of a refusal, and what a head says.
//!
//! ```text
//!   call ──▶ Source::request_to ──▶ queue ──▶ grant: cx.defer ──▶ poll the service ──▶ complete
//!              │ refused              │ shed: expired, drain        │ dropped: abandoned
//!              ▼                      ▼                             ▼
//!             503                    503                    the place is free
//! ```

mod body;
mod deadline;
mod driver;
mod entry;
mod future;
mod graph;
mod head;
mod layer;
mod permit;
mod refusal;
mod retry_after;
mod routes;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use head::RequestHead;
pub use layer::Admission;
pub use refusal::GrpcStatus;
pub use service::AdmissionService;
