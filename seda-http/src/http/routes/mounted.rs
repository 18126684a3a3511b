//! A route with its source into the graph.

use super::endpoint::{Endpoint, Number, Settings};
use super::params::{Parameters, ParamsError};
use super::shape::Shape;
use crate::h1::RequestHead;
use crate::http::access_log::RequestId;
use crate::http::client::ClientAddress;
use crate::http::request::HttpRequest;
use crate::reactor::{Body, BodyReader, Origin};
use crate::server::catch_panic;
use bytes::Bytes;
use http::Response;
use seda_core::{
    Class, Graph, GraphError, Refusal, ReplyAddress, ReplySink, Request, SendOptions, Source,
    Stage, StageId,
};
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId};
use std::sync::Arc;
use std::time::Duration;

/// An endpoint without the type of its parameters.
pub(super) trait Mount: Send + Sync {
    fn settings(&self) -> &Settings;

    /// Returns the parameters that the type takes.
    fn shape(&self) -> Shape;

    /// Returns the endpoint for one reactor. Routes to one stage share their source in `sources`,
    /// and with it the request ledger.
    fn mount(
        &self,
        graph: &mut Graph,
        sources: &mut Sources,
    ) -> Result<Box<dyn Mounted>, GraphError>;
}

/// An endpoint on one reactor, without the type of its parameters.
pub(in crate::http) trait Mounted: Send {
    /// Returns the name of its stage.
    fn stage(&self) -> &str;

    /// Returns the shortest SLO of any class.
    fn slo(&self) -> Option<Duration>;

    /// Returns the class of a request with these options, and the SLO of that class as it is set.
    fn objective(&self, options: SendOptions) -> (Class, Option<Duration>);

    /// Reads the parameters of a request, and returns `options` with the cost and the tenant that
    /// they give. `None` if user code panicked.
    fn read(&self, parameters: Parameters<'_>, options: SendOptions) -> Option<Read>;

    /// Checks whether a request would be admitted now.
    fn check(&self, options: SendOptions) -> Result<(), Refusal>;

    /// Admits a request. `None` if the parameters were read by another endpoint.
    fn admit(
        &self,
        params: AnyParams,
        arrived: Arrived,
        origin: &Origin,
        options: SendOptions,
        reply_sink: Arc<dyn ReplySink<Response<Body>>>,
        address: ReplyAddress,
    ) -> Option<Result<Arc<Request>, Refusal>>;
}

/// The parameters of a request without their type. `()` takes no memory.
pub(in crate::http) type AnyParams = Box<dyn Any + Send>;

/// The parameters and the options of a request, or the reason why the parameters do not fit.
pub(in crate::http) type Read = Result<(AnyParams, SendOptions), ParamsError>;

/// A request without its responder: whole, or with the reader of its body.
#[derive(Debug)]
pub(in crate::http) struct Arrived {
    pub(in crate::http) head: RequestHead,
    pub(in crate::http) body: Bytes,
    pub(in crate::http) stream: Option<BodyReader>,
    /// `None` if requests have no ids.
    pub(in crate::http) id: Option<RequestId>,
}

/// The sources of one reactor by stage.
pub(super) struct Sources {
    known: Vec<(StageId, Box<dyn Any>)>,
    /// True if requests keep the stages that they visit.
    keeps_visits: bool,
}

impl Sources {
    pub(super) fn new(keeps_visits: bool) -> Self {
        Self { known: Vec::new(), keeps_visits }
    }

    fn of<E: Send + 'static>(
        &mut self,
        graph: &mut Graph,
        stage: Stage<E>,
    ) -> Result<Source<E>, GraphError> {
        let known = self.known.iter().find(|(id, _)| *id == stage.id());
        if let Some(source) = known.and_then(|(_, source)| source.downcast_ref::<Source<E>>()) {
            return Ok(source.clone());
        }
        let source = graph.source(stage)?;
        let source = if self.keeps_visits { source.keeping_visits() } else { source };
        self.known.push((stage.id(), Box::new(source.clone())));
        Ok(source)
    }
}

impl<P: DeserializeOwned + Send + 'static> Mount for Endpoint<P> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn shape(&self) -> Shape {
        Shape::of::<P>()
    }

    fn mount(
        &self,
        graph: &mut Graph,
        sources: &mut Sources,
    ) -> Result<Box<dyn Mounted>, GraphError> {
        let source = sources.of(graph, self.stage)?;
        let (cost, tenant) = (self.cost.clone(), self.tenant.clone());
        Ok(Box::new(MountedEndpoint { source, cost, tenant }))
    }
}

struct MountedEndpoint<P: Send + 'static> {
    source: Source<HttpRequest<P>>,
    cost: Option<Arc<Number<P, u32>>>,
    tenant: Option<Arc<Number<P, u64>>>,
}

impl<P: DeserializeOwned + Send + 'static> Mounted for MountedEndpoint<P> {
    fn stage(&self) -> &str {
        self.source.stage()
    }

    fn slo(&self) -> Option<Duration> {
        self.source.slo()
    }

    fn objective(&self, options: SendOptions) -> (Class, Option<Duration>) {
        let class = self.source.class_of(options);
        (class, self.source.slo_of(class))
    }

    #[inline]
    fn read(&self, parameters: Parameters<'_>, options: SendOptions) -> Option<Read> {
        // Without parameters there is nothing to read and no user code.
        if TypeId::of::<P>() == TypeId::of::<()>() && self.cost.is_none() && self.tenant.is_none() {
            return Some(Ok((Box::new(()), options)));
        }
        catch_panic("the parameters of a route", || {
            let params = P::deserialize(parameters)?;
            let options = SendOptions {
                cost: self.cost.as_ref().map(|cost| cost(&params)),
                tenant: self.tenant.as_ref().map(|tenant| tenant(&params)),
                ..options
            };
            Ok((Box::new(params) as AnyParams, options))
        })
    }

    fn check(&self, options: SendOptions) -> Result<(), Refusal> {
        self.source.check(options)
    }

    fn admit(
        &self,
        params: AnyParams,
        Arrived { head, body, stream, id }: Arrived,
        origin: &Origin,
        options: SendOptions,
        reply_sink: Arc<dyn ReplySink<Response<Body>>>,
        address: ReplyAddress,
    ) -> Option<Result<Arc<Request>, Refusal>> {
        let params = *params.downcast::<P>().ok()?;
        // The request is made once it has a place.
        Some(self.source.request_to(reply_sink, address, options, |reply| {
            let client = head.client();
            let mut request = head.into_request(body);
            ClientAddress::put_into(client, origin, &mut request);
            if let Some(id) = id {
                id.put_into(&mut request);
            }
            HttpRequest { request, params, stream, peer: origin.peer(), reply }
        }))
    }
}
