//! The stage at the end of a route, with the route's settings.

use super::error::RoutesError;
use crate::h1::Limits;
use crate::http::request::HttpRequest;
use crate::http::responses::Answer;
use crate::server::in_timeout_range;
use seda_core::{Class, Context, Graph, GraphError, Stage, StageId};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The stage where the requests of a route enter the graph, with the settings of the route.
///
/// A plain [`Stage`] is an endpoint without settings.
///
/// ```
/// use seda_core::{Class, Graph};
/// use seda_http::{Endpoint, HttpRequest, Routes};
/// use serde::Deserialize;
/// use std::time::Duration;
///
/// #[derive(Deserialize)]
/// struct Render {
///     pages: u32,
/// }
///
/// let mut graph = Graph::new("documents");
/// let upload = graph.stage::<HttpRequest>("upload", 64);
/// let render = graph.stage::<HttpRequest<Render>>("render", 64);
/// let store = graph.stage::<u64>("store", 64);
/// let routes = Routes::new()
///     .post("/documents", Endpoint::new(upload).body_bytes(8 * 1024 * 1024).visits([store.id()]))
///     .get("/render", Endpoint::new(render).class(Class::new(1)).cost(|render| render.pages));
/// # let _ = routes;
/// ```
#[must_use = "an endpoint does nothing until a route has it"]
pub struct Endpoint<P = ()> {
    pub(super) stage: Stage<HttpRequest<P>>,
    pub(super) settings: Settings,
    pub(super) cost: Option<Arc<Number<P, u32>>>,
    pub(super) tenant: Option<Arc<Number<P, u64>>>,
}

/// The capacity of a stage that [`Endpoint::answering`] declares: the burst that one worker works
/// off in a second if a request takes 1 ms.
const CAPACITY: usize = 1_024;

/// A number that depends on the parameters of a request.
pub(super) type Number<P, N> = dyn Fn(&P) -> N + Send + Sync;

/// The settings of a route, without the type of its parameters.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Settings {
    pub(super) class: Class,
    /// `None`: that of the server.
    pub(super) deadline: Option<Duration>,
    /// The stages behind the endpoint.
    pub(super) visits: Vec<StageId>,
    /// `None`: that of the server.
    pub(super) body_bytes: Option<usize>,
    /// `None`: that of the server.
    pub(super) body_time: Option<Duration>,
    /// The most bytes of a streamed body; `None` for bodies that are read whole.
    pub(super) streamed: Option<u64>,
}

impl<P> Endpoint<P> {
    /// Returns the endpoint at `stage`, with the settings of the server.
    pub fn new(stage: Stage<HttpRequest<P>>) -> Self {
        Self { stage, settings: Settings::default(), cost: None, tenant: None }
    }

    /// Declares a stage with the name `name` and a handler that answers each request itself, and
    /// returns the endpoint there. It has a pool of its own and a capacity of 1,024 requests;
    /// [`StageConfig`](seda_core::StageConfig) changes both.
    ///
    /// Each worker gets a clone of `state`.
    ///
    /// # Errors
    /// As [`Graph::attach`].
    ///
    /// ```
    /// use seda_core::Graph;
    /// use seda_http::{Answer, Endpoint, HttpRequest, Routes, StatusCode, json};
    /// use std::sync::Arc;
    ///
    /// fn show(names: &Arc<Vec<String>>, call: &HttpRequest<usize>) -> Answer {
    ///     let name = names.get(call.params).ok_or(StatusCode::NOT_FOUND)?;
    ///     Ok(json(StatusCode::OK, name))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = Graph::new("names");
    /// let names = Arc::new(vec!["Ada".to_owned()]);
    /// let show = Endpoint::answering(&mut graph, "show", &names, show)?;
    /// let routes = Routes::new().get("/names/{n}", show);
    /// # let _ = routes;
    /// # Ok(())
    /// # }
    /// ```
    pub fn answering<S>(
        graph: &mut Graph,
        name: &str,
        state: &S,
        handle: impl Fn(&S, &HttpRequest<P>) -> Answer + Clone + Send + Sync + 'static,
    ) -> Result<Self, GraphError>
    where
        P: Send + 'static,
        S: Clone + Send + Sync + 'static,
    {
        let stage = graph.stage::<HttpRequest<P>>(name, CAPACITY);
        let state = state.clone();
        graph.attach_each(stage, |_wire| {
            move |call: HttpRequest<P>, _cx: &mut Context| call.answer(|call| handle(&state, call))
        })?;
        Ok(Self::new(stage))
    }

    /// Sets the [class](seda_core::SendOptions::class) of its requests. Without this call they have
    /// the highest.
    pub fn class(mut self, class: Class) -> Self {
        self.settings.class = class;
        self
    }

    /// Sets the age at which a response becomes worthless, 1 ms to one day, in place of
    /// [`HttpConfig::deadline`](crate::HttpConfig::deadline).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = Some(deadline);
        self
    }

    /// Declares the [stages](seda_core::SendOptions::route) behind the endpoint that its requests
    /// will visit. A request is then refused at the entry while one of them has no room for it.
    pub fn visits(mut self, stages: impl IntoIterator<Item = StageId>) -> Self {
        self.settings.visits.extend(stages);
        self
    }

    /// Sets the function that returns the [cost](seda_core::SendOptions::cost) of a request, one
    /// number for all stages that it visits. It runs on the reactor, once per request, before
    /// admission.
    pub fn cost(mut self, cost: impl Fn(&P) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Some(Arc::new(cost));
        self
    }

    /// Sets the function that returns the [tenant](seda_core::SendOptions::tenant) of a request by
    /// its parameters. It runs as that of [`Endpoint::cost`] does. A tenant that a header field
    /// names is for [`Http::classify`](crate::Http::classify).
    pub fn tenant(mut self, tenant: impl Fn(&P) -> u64 + Send + Sync + 'static) -> Self {
        self.tenant = Some(Arc::new(tenant));
        self
    }

    /// Sets the most bytes of a body, 0 to 1 GiB and within
    /// [`BodyConfig::budget`](crate::BodyConfig::budget), in place of
    /// [`Limits::body_bytes`]. A longer body is answered with 413: from the head, if its length is
    /// declared.
    pub fn body_bytes(mut self, bytes: usize) -> Self {
        self.settings.body_bytes = Some(bytes);
        self
    }

    /// Streams the bodies of its requests to the program, up to `most` bytes each: they arrive at
    /// [`HttpRequest::stream`](crate::HttpRequest::stream), and `request` has an empty body. A body
    /// whose declared length is beyond it is answered with 413.
    pub fn streamed(mut self, most: u64) -> Self {
        self.settings.streamed = Some(most);
        self
    }

    /// Sets the longest time for a whole body, 1 ms to one day, in place of
    /// [`BodyConfig::total_timeout`](crate::BodyConfig::total_timeout). A slower body is answered
    /// with 408.
    pub fn body_time(mut self, time: Duration) -> Self {
        self.settings.body_time = Some(time);
        self
    }
}

impl Settings {
    /// Checks the settings of the route with this path. Returns its most bytes of a body.
    pub(super) fn check(&self, path: &str, limits: &Limits) -> Result<usize, RoutesError> {
        let fault = |fault| RoutesError::Setting { path: path.to_owned(), fault };
        let body_bytes = self.body_bytes.unwrap_or(limits.body_bytes);
        let limits = Limits { body_bytes, ..*limits };
        limits.check().map_err(|error| fault(error.into()))?;
        for (key, time) in [("deadline", self.deadline), ("body_time", self.body_time)] {
            if let Some(time) = time {
                in_timeout_range(key, time).map_err(fault)?;
            }
        }
        Ok(body_bytes)
    }
}

impl<P> From<Stage<HttpRequest<P>>> for Endpoint<P> {
    fn from(stage: Stage<HttpRequest<P>>) -> Self {
        Self::new(stage)
    }
}

impl<P> fmt::Debug for Endpoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, settings, .. } = self;
        f.debug_struct("Endpoint")
            .field("stage", stage)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}
