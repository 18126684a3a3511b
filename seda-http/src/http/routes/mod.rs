//! Routes: methods and paths with the stages that take their requests.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | [`Routes`]: the table as a program writes it |
//! | `endpoint` | [`Endpoint`]: a stage with the settings of a route |
//! | `path`, `shape`, `error` | the checks at the start; [`RoutesError`] |
//! | `table` | the route of a method and a path |
//! | `params` | the parameters of a target, by serde |
//! | `mounted` | a route with its source, without the type of its parameters |
//! | `dispatcher` | the decision about each request |

mod dispatcher;
mod endpoint;
mod error;
mod mounted;
mod params;
mod path;
mod shape;
mod table;
#[cfg(test)]
mod tests;

pub(super) use dispatcher::{Classify, Dispatcher, Routed, failed};
pub use endpoint::Endpoint;
pub use error::RoutesError;
pub(super) use mounted::{Arrived, Mounted};
pub(super) use table::{BodyLimits, Table};

use self::endpoint::Settings;
use self::mounted::{Mount, Sources};
use self::table::Route;
use super::config::HttpConfig;
use super::request::HttpRequest;
use crate::h1::Limits;
use http::Method;
use seda_core::{Graph, GraphError, SendOptions, Stage};
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// The routes of a server: methods and paths, each with the stage that takes its requests.
///
/// [`Http::routes`](crate::Http::routes) serves them. A request is decided from its head, before
/// its body is read: the table gives it its stage, its typed parameters, and the settings of its
/// [`Endpoint`].
///
/// ```
/// use seda_core::Graph;
/// use seda_http::{Endpoint, HttpRequest, Routes, StatusCode, SteppedServer, text};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("users");
/// let show = graph.stage::<HttpRequest<u64>>("show", 1_024);
/// let create = graph.stage::<HttpRequest>("create", 64);
/// graph.attach_each(show, |_wire| {
///     |call: HttpRequest<u64>, _cx| {
///         let user = format!("user {}\n", call.params);
///         call.respond(text(StatusCode::OK, user));
///     }
/// })?;
/// graph.attach_each(create, |_wire| {
///     |call: HttpRequest, _cx| call.respond(text(StatusCode::CREATED, "created\n"))
/// })?;
/// let routes = Routes::new()
///     .get("/users/{id}", show)
///     .post("/users", Endpoint::new(create).body_bytes(64 * 1024));
///
/// // A server has them by `http.routes(&mut graph, routes)?`; a test needs no socket.
/// let mut server = SteppedServer::start(graph, routes)?;
/// assert_eq!(server.get("/users/7").body(), "user 7\n");
/// assert_eq!(server.get("/users/seven").status(), 400);
/// assert_eq!(server.get("/nowhere").status(), 404);
/// # Ok(())
/// # }
/// ```
///
/// # Paths
///
/// A segment of a path is fixed, or a parameter `{name}` with fixed parts before or after it.
/// `{*rest}` takes one or more bytes to the end of the path. A fixed segment goes before a
/// parameter; the order of the routes has no meaning.
///
/// - Paths are matched as the client wrote them, byte by byte. `/users` and `/users/` are two
///   paths, and so are `/users` and `/%75sers`.
/// - The values of parameters are percent-decoded. `%2F` in one is a part of its value.
/// - Parameters that do not fit the type of the stage are answered with 400.
///
/// # Answers of the table
///
/// They are given from the head, before admission, and counted in
/// [`ServerCounts`](crate::ServerCounts). The connection goes on as after a refused request.
///
/// | request | answer |
/// | --- | --- |
/// | no route has the path | 404 |
/// | the path has routes, but not for the method | 405 with Allow |
/// | HEAD without a route of its own | that of GET, without its body |
/// | OPTIONS without a route of its own | 204 with Allow |
/// | `OPTIONS *` | 204 with all methods of the server |
/// | the parameters do not fit | 400 with the name of the parameter |
/// | the declared length is beyond the route's limit | 413 |
#[derive(Default)]
#[must_use = "routes do nothing until a server has them"]
pub struct Routes {
    declared: Vec<Declared>,
}

/// A route as a program declares it.
struct Declared {
    /// `None` for all methods.
    method: Option<Method>,
    path: String,
    endpoint: Box<dyn Mount>,
}

impl Routes {
    /// Returns a table without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends GET requests for `path` to a stage; HEAD requests too, without a route for HEAD.
    pub fn get<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.on(Method::GET, path, to)
    }

    /// Sends POST requests for `path` to a stage.
    pub fn post<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.on(Method::POST, path, to)
    }

    /// Sends PUT requests for `path` to a stage.
    pub fn put<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.on(Method::PUT, path, to)
    }

    /// Sends PATCH requests for `path` to a stage.
    pub fn patch<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.on(Method::PATCH, path, to)
    }

    /// Sends DELETE requests for `path` to a stage.
    pub fn delete<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.on(Method::DELETE, path, to)
    }

    /// Sends requests with `method` for `path` to a stage: HEAD, OPTIONS, or one that RFC 9110 does
    /// not have, such as PURGE. The server then reads such methods, and answers 501 to others.
    pub fn on<P: DeserializeOwned + Send + 'static>(
        self,
        method: Method,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.declare(Some(method), path, to.into())
    }

    /// Sends all requests for `path` to a stage, except those with a method that has a route of its
    /// own.
    pub fn any<P: DeserializeOwned + Send + 'static>(
        self,
        path: &str,
        to: impl Into<Endpoint<P>>,
    ) -> Self {
        self.declare(None, path, to.into())
    }

    fn declare<P: DeserializeOwned + Send + 'static>(
        mut self,
        method: Option<Method>,
        path: &str,
        endpoint: Endpoint<P>,
    ) -> Self {
        self.declared.push(Declared {
            method,
            path: path.to_owned(),
            endpoint: Box::new(endpoint),
        });
        self
    }

    /// Checks the table and declares its edges into `graph`. Returns it with the endpoints of each
    /// reactor.
    pub(super) fn build(
        self,
        graph: &mut Graph,
        config: &HttpConfig,
    ) -> Result<Built, RoutesError> {
        // Check each route by itself.
        if self.declared.is_empty() {
            return Err(RoutesError::Empty);
        }
        let mut routes = Vec::new();
        for declared in &self.declared {
            let names = path::check(&declared.path)?;
            let shape = declared.endpoint.shape();
            if !shape.fits(&names) {
                return Err(RoutesError::shape(&declared.path, &names, shape));
            }
            let bytes = declared.endpoint.settings().check(&declared.path, &config.limits)?;
            let limits = Limits { body_bytes: bytes, ..config.limits };
            config
                .body
                .check_budget(&limits, config.reactors)
                .map_err(|fault| RoutesError::Setting { path: declared.path.clone(), fault })?;
            let settings = declared.endpoint.settings();
            routes.push(settings.route(graph, config, bytes).map_err(RoutesError::graph)?);
        }
        // Check all of them together.
        let declared: Vec<(Option<&Method>, &str)> =
            self.declared.iter().map(|it| (it.method.as_ref(), it.path.as_str())).collect();
        let table = Arc::new(Table::new(&declared, routes)?);
        // Declare their edges.
        let endpoints = (0..config.reactors).map(|_| {
            let mut sources = Sources::new(config.access_log.server_timing);
            self.declared.iter().map(|it| it.endpoint.mount(graph, &mut sources)).collect()
        });
        let endpoints = endpoints.collect::<Result<_, _>>().map_err(RoutesError::graph)?;
        Ok(Built { table, endpoints })
    }
}

/// A table with the endpoints of each reactor.
pub(super) struct Built {
    pub(super) table: Arc<Table>,
    pub(super) endpoints: Vec<Vec<Box<dyn Mounted>>>,
}

impl Built {
    /// Returns the name of the first stage where requests enter.
    pub(super) fn stage(&self) -> Option<&str> {
        Some(self.endpoints.first()?.first()?.stage())
    }

    /// Returns the table of a server with `stage` as its one entry.
    pub(super) fn of_one(
        graph: &mut Graph,
        stage: Stage<HttpRequest>,
        config: &HttpConfig,
    ) -> Result<Self, GraphError> {
        let endpoint = Endpoint::new(stage);
        let route = endpoint.settings.route(graph, config, config.limits.body_bytes)?;
        let endpoints = (0..config.reactors)
            .map(|_| {
                let mut sources = Sources::new(config.access_log.server_timing);
                Ok(vec![endpoint.mount(graph, &mut sources)?])
            })
            .collect::<Result<_, GraphError>>()?;
        Ok(Self { table: Arc::new(Table::of_one(route)), endpoints })
    }
}

impl Settings {
    /// Returns the route with these settings, and those of the server for the others.
    fn route(
        &self,
        graph: &mut Graph,
        config: &HttpConfig,
        bytes: usize,
    ) -> Result<Route, GraphError> {
        let visits = self.visits.iter().copied();
        let route = if self.visits.is_empty() { None } else { Some(graph.route(visits)?) };
        let deadline = self.deadline.or(config.deadline);
        let options = SendOptions { class: self.class, deadline, route, ..SendOptions::default() };
        Ok(Route {
            options,
            limits: BodyLimits { bytes, time: self.body_time, streamed: self.streamed },
        })
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.declared.iter().map(|it| {
            let method = it.method.as_ref().map_or("any method", Method::as_str);
            format!("{method} {}", it.path)
        });
        f.debug_list().entries(routes).finish()
    }
}
