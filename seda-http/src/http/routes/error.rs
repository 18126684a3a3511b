//! The errors of a table of routes, before the server serves. Each message names the remedy.

use super::shape::Shape;
use crate::server::{ConfigError, EntryError};
use seda_core::GraphError;
use thiserror::Error;

/// The reason why a server cannot serve a table of routes.
///
/// ```
/// use seda_core::Graph;
/// use seda_http::{Http, HttpConfig, HttpRequest, Routes, RoutesError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut config = HttpConfig::default();
/// # config.listen.set_port(0);
/// let mut graph = Graph::new("users");
/// let users = graph.stage::<HttpRequest>("users", 1_024);
/// let routes = Routes::new().get("/users/{id}", users).post("/users/{name}", users);
/// let error = Http::bind(config)?.routes(&mut graph, routes).unwrap_err();
/// assert!(matches!(error, RoutesError::Conflict { .. }));
/// assert_eq!(
///     error.to_string(),
///     "the paths `/users/{name}` and `/users/{id}` match the same targets: give their \
///      parameters one name, or make a segment differ"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RoutesError {
    /// The server has an entry or a table already, or a stage is not of this graph.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The table is empty.
    #[error("the table has no routes: add one, such as `get(\"/\", stage)`")]
    Empty,
    /// The text is no path.
    #[error("`{path}` is no path of a route: {fault}")]
    Path {
        /// The path as written.
        path: String,
        /// The fault and the remedy.
        fault: &'static str,
    },
    /// Two paths match the same targets.
    #[error(
        "the paths `{path}` and `{with}` match the same targets: give their parameters one name, \
         or make a segment differ"
    )]
    Conflict {
        /// The later path.
        path: String,
        /// The earlier path.
        with: String,
    },
    /// A method and a path with two stages.
    #[error("{method} `{path}` is declared twice: a route has one stage; remove one of the two")]
    Twice {
        /// The method; `any method` for a route of all.
        method: String,
        /// The path.
        path: String,
    },
    /// CONNECT, which no server but a proxy answers.
    #[error("`{path}` has the method CONNECT: the server is no proxy; choose another method")]
    Connect {
        /// The path.
        path: String,
    },
    /// The parameters of the path do not fit the type of the stage's parameters.
    #[error(
        "the path `{path}` does not fit the parameters of its stage: {fault}; give both the same \
         parameters"
    )]
    Parameters {
        /// The path.
        path: String,
        /// The difference.
        fault: String,
    },
    /// A setting of a route is out of its bounds.
    #[error("route `{path}`: {fault}")]
    Setting {
        /// The path.
        path: String,
        /// The setting, its value and the bounds.
        fault: ConfigError,
    },
}

impl RoutesError {
    pub(in crate::http) fn graph(error: GraphError) -> Self {
        Self::Entry(EntryError::Graph(error))
    }

    /// Returns the error of a path with the parameters `names` that do not fit `shape`.
    pub(super) fn shape(path: &str, names: &[&str], shape: Shape) -> Self {
        let has = match names {
            [] => "it has none".to_owned(),
            names => format!("it has `{}`", names.join("`, `")),
        };
        let wants = match shape {
            Shape::Fields(fields) => format!("the fields are `{}`", fields.join("`, `")),
            Shape::Tuple(length) => format!("the tuple takes {length}"),
            Shape::One => "the value takes one".to_owned(),
            Shape::Any => "the value takes any".to_owned(),
        };
        Self::Parameters { path: path.to_owned(), fault: format!("{has}, {wants}") }
    }
}
