//! Routes: the stages that a kind of request visits.

use crate::config::{GraphError, SettingFault};
use crate::gate::{Route, StageId};
use crate::graph::builder::Graph;

/// The most routes of a graph: each request keeps the number of its route in two bytes.
const MAX_ROUTES: usize = 1 << 14;

impl Graph {
    /// Declares the stages that a kind of request visits, in any order. The stage where it enters
    /// need not be named, and a replicated stage stands for all of its replicas.
    ///
    /// A request with this route in its [`SendOptions`](crate::stage::ports::SendOptions) is
    /// refused at the entry while one of these stages has more work than it can do within the
    /// [SLO](crate::config::SloConfig). Without a route, a request counts at its entry stage only;
    /// a later stage can then refuse it only after work has already been spent on it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use seda_core::{Graph, SendOptions};
    /// let mut graph = Graph::new("pages");
    /// let parse = graph.stage::<String>("parse", 64);
    /// let render = graph.stage::<String>("render", 64);
    /// let pages = graph.route([render.id()])?;
    /// let options = SendOptions { route: Some(pages), ..SendOptions::default() };
    /// let source = graph.source(parse)?.with_options(options);
    /// # let _ = source;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`GraphError::Foreign`]; a setting fault if no stage is named, or the graph has 16,384
    /// routes.
    pub fn route(
        &mut self,
        stages: impl IntoIterator<Item = StageId>,
    ) -> Result<Route, GraphError> {
        let mut visited = Vec::new();
        for StageId { graph, index } in stages {
            if graph != self.core.id || index >= self.stages.len() {
                return Err(GraphError::Foreign { token: "stage" });
            }
            if !visited.contains(&index) {
                visited.push(index);
            }
        }
        if visited.is_empty() || self.routes.len() >= MAX_ROUTES {
            let allowed = "1 or more stages, and at most 16384 routes";
            let route = format!("{} stages in route {}", visited.len(), self.routes.len());
            return Err(SettingFault::new("route", route, allowed).into());
        }
        self.routes.push(visited.into());
        let index = u16::try_from(self.routes.len() - 1).unwrap_or(u16::MAX);
        Ok(Route { graph: self.core.id, index })
    }
}
