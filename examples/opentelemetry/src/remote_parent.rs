//! The parent of a request's span: the span of the client that its `traceparent` names.
//!
//! seda's span has the field as it was sent. OpenTelemetry takes the parent from its own current
//! context, so the client's context is current while the layer of tracing-opentelemetry takes the
//! span in: [`BeginParent`] stands before that layer, [`EndParent`] behind it.

use opentelemetry::ContextGuard;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The name of the field, in seda's span and in a request (W3C Trace Context §3.2).
const TRACEPARENT: &str = "traceparent";

thread_local! {
    /// The context of a client, while this thread begins the span of its request.
    static REMOTE: RefCell<Option<ContextGuard>> = const { RefCell::new(None) };
}

/// Makes the context of a request's client current.
pub(crate) struct BeginParent;

/// Ends what [`BeginParent`] began.
pub(crate) struct EndParent;

impl<S: Subscriber> Layer<S> for BeginParent {
    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _cx: Context<'_, S>) {
        if attributes.metadata().target() != "seda_http::request" {
            return;
        }
        let mut fields = Traceparent::default();
        attributes.record(&mut fields);
        if let Some(value) = fields.0 {
            // A value that is malformed gives an empty context, and the request a new trace.
            let carrier = HashMap::from([(TRACEPARENT.to_owned(), value)]);
            let client = TraceContextPropagator::new().extract(&carrier);
            REMOTE.set(Some(client.attach()));
        }
    }
}

impl<S: Subscriber> Layer<S> for EndParent {
    fn on_new_span(&self, _attributes: &Attributes<'_>, _id: &Id, _cx: Context<'_, S>) {
        REMOTE.set(None);
    }
}

/// The value of the field, if a span has it.
#[derive(Default)]
struct Traceparent(Option<String>);

impl Visit for Traceparent {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == TRACEPARENT {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn Debug) {}
}
