//! The names of exported spans: a request has its method, a stage its own name.
//!
//! seda's spans are called `request` and `stage`, because tracing takes no name at run time. The
//! conventions of OpenTelemetry name a request by its method, and call it one of a server.

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::time::Duration;

/// Names spans on their way to an exporter.
#[derive(Debug)]
pub(crate) struct Named<E>(pub(crate) E);

impl<E: SpanExporter> SpanExporter for Named<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        batch.iter_mut().for_each(name);
        self.0.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn name(span: &mut SpanData) {
    let (key, kind) = match &*span.name {
        "request" => ("http.request.method", SpanKind::Server),
        "stage" => ("stage", SpanKind::Internal),
        _ => return,
    };
    let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    if let Some(name) = attribute.map(|attribute| attribute.value.to_string()) {
        span.name = name.into();
        span.span_kind = kind;
    }
}
