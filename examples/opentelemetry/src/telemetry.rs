//! The way of spans: tracing, OpenTelemetry, OTLP over HTTP.

use crate::named::Named;
use crate::remote_parent::{BeginParent, EndParent};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::error::Error;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Exports spans from now on, to `endpoint` or else to that of the environment. `shutdown` of the
/// returned provider exports the last ones.
pub(crate) fn start(endpoint: Option<&str>) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_http();
    let exporter = match endpoint {
        Some(endpoint) => exporter.with_endpoint(endpoint),
        None => exporter,
    };
    // A thread of its own exports batches. Spans for which its queue has no room are dropped.
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Named(exporter.build()?))
        .with_resource(Resource::builder().with_service_name("seda-example").build())
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("seda"))
        // The places in the sources and the threads say nothing about a request.
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    // Only these are exported: spans of the exporter's own HTTP client would never end.
    let exported = Targets::new()
        .with_target("seda_http::request", Level::DEBUG)
        .with_target("seda_core::stage", Level::DEBUG)
        .with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
        .with(BeginParent)
        .with(spans.with_filter(exported))
        .with(EndParent)
        .try_init()?;
    Ok(provider)
}
