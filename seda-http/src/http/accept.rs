//! The way of HTTP requests into the graph: admission, refusal and loss.
//!
//! A request is decided from its head. One with a body on its way is checked first
//! ([`seda_core::Source::check`]): under overload it is refused before its body is read. It holds
//! no place while its body arrives, because a few slow clients could hold all places. Admission
//! proper follows when the body is whole; it refuses again only if the graph has filled meanwhile.

use super::admin::AdminView;
use super::codec::{Checked, Destination, Http1, Received, RequestBody};
use super::exchange::Exchange;
use super::reply::Reply;
use super::responses::ErrorResponse;
use super::retry_after::RetryAfter;
use super::routes::{Arrived, BodyLimits, Dispatcher, Routed, failed};
use super::times::{ExchangeTrace, Label, RouteLabel};
use crate::h1::RequestHead;
use crate::reactor::{Admission, Body, BodyReader, Origin, Service};
use crate::server::catch_panic;
use bytes::Bytes;
use http::Response;
use seda_core::{Class, LossReason, RefusalReason, ReplyAddress, ReplySink, Time};
use std::sync::Arc;
use std::time::Duration;

/// Returns the most bytes of a body that is streamed; `None` for one that is read whole.
pub(super) type StreamBodies = dyn Fn(&RequestHead) -> Option<u64> + Send + Sync;

/// The service of one reactor.
pub(super) struct HttpService {
    pub(super) dispatcher: Dispatcher,
    pub(super) reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    pub(super) admin: AdminView,
    pub(super) retry_after: RetryAfter,
    /// The limits of a body that the admin side gets.
    pub(super) admin_limits: BodyLimits,
    /// `None` if every body is read whole.
    pub(super) stream_bodies: Option<Arc<StreamBodies>>,
    /// The number of requests refused because of overload.
    pub(super) refused_total: u64,
    /// The label of the request that was checked or admitted last.
    pub(super) label: Label,
    /// True if answers have Server-Timing.
    pub(super) server_timing: bool,
    /// The trace of the request that was admitted last, until its exchange has it.
    pub(super) trace: Option<Box<ExchangeTrace>>,
}

impl HttpService {
    /// Returns the most bytes of the request's body if it is streamed; `None` if it is read whole.
    fn streams(&self, head: &RequestHead) -> Option<u64> {
        let stream_bodies = self.stream_bodies.as_ref()?;
        catch_panic("the choice of streamed bodies", || stream_bodies(head)).flatten()
    }

    /// Returns the route of a request, and notes its label.
    fn route(&mut self, head: &RequestHead) -> Result<Routed, ErrorResponse> {
        let routed = self.dispatcher.route(head, self.streams(head));
        self.label = match &routed {
            Ok(routed) => self.dispatcher.label(head, routed),
            Err(_) => self.dispatcher.label_of_unrouted(head),
        };
        routed
    }

    /// Admits a request to the admin side.
    fn admit_admin(&mut self, head: &RequestHead, address: ReplyAddress) -> Admission<Reply> {
        self.label = Label::new(RouteLabel::Admin, Some(head.method()));
        self.admin.admit(head, address)
    }

    fn refuse(&mut self, class: Class, reason: RefusalReason) -> Reply {
        if reason.is_transient() {
            self.refused_total += 1;
        }
        let (busy, seconds) = self.retry_after.next(class);
        match reason {
            RefusalReason::Closed => {
                Reply::unavailable("the server takes no more requests\n", seconds)
            }
            RefusalReason::Expired => {
                Reply::unavailable("the request's deadline has passed\n", seconds)
            }
            _ => Reply::unavailable(busy, seconds),
        }
    }
}

impl Service<Http1> for HttpService {
    fn check(&mut self, head: &RequestHead, now: Time) -> Result<Box<Checked>, Reply> {
        let destination = if self.admin.takes(head) {
            self.label = Label::new(RouteLabel::Admin, Some(head.method()));
            self.admin.check(head).map_or(Ok(()), Err)?;
            self.dispatcher.check_length(head, self.admin_limits.bytes as u64)?;
            Destination::Admin(self.admin_limits)
        } else {
            let routed = self.route(head)?;
            if let Err(refusal) = self.dispatcher.check(&routed) {
                return Err(self.refuse(routed.options.class, refusal.reason()));
            }
            Destination::Route(routed)
        };
        Ok(Box::new(Checked { destination, label: self.label.begun(now) }))
    }

    fn admit(
        &mut self,
        Received { head, body, id }: Received,
        decision: Option<Box<Checked>>,
        origin: &Origin,
        address: ReplyAddress,
    ) -> Admission<Reply> {
        let routed = match decision.map(|checked| (checked.destination, checked.label)) {
            Some((Destination::Admin(_), _)) => return self.admit_admin(&head, address),
            Some((Destination::Route(routed), label)) => {
                self.label = label;
                Ok(routed)
            }
            None if self.admin.takes(&head) => {
                self.label = Label::new(RouteLabel::Admin, Some(head.method()));
                return match self.dispatcher.check_length(&head, self.admin_limits.bytes as u64) {
                    Ok(()) => self.admit_admin(&head, address),
                    Err(error) => Admission::Answered(error.into()),
                };
            }
            None => self.route(&head),
        };
        let routed = match routed {
            Ok(routed) => routed,
            Err(error) => return Admission::Answered(error.into()),
        };
        let (body, stream) = match body {
            RequestBody::Streamed(reader) => (Bytes::new(), Some(reader)),
            RequestBody::Whole(body) if routed.streams.is_some() => {
                (Bytes::new(), Some(BodyReader::whole(body)))
            }
            RequestBody::Whole(body) => (body, None),
        };
        let span = ExchangeTrace::span(&head);
        let arrived = Arrived { head, body, stream, id };
        let class = routed.options.class;
        let reply_sink = Arc::clone(&self.reply_sink);
        // The spans of stages are children of the span at admission.
        let admitted =
            span.in_scope(|| self.dispatcher.admit(routed, arrived, origin, reply_sink, address));
        let request = admitted.as_ref().and_then(|admitted| admitted.as_ref().ok());
        let request = request.filter(|_| self.server_timing).cloned();
        self.trace = ExchangeTrace::new(span, request);
        match admitted {
            Some(Ok(request)) => Admission::Admitted(request),
            Some(Err(refusal)) => Admission::Answered(self.refuse(class, refusal.reason())),
            None => Admission::Answered(failed().into()),
        }
    }

    fn label(&mut self, exchange: &mut Exchange, now: Time) {
        exchange.label = Some(self.label.begun(now));
        exchange.trace = self.trace.take();
    }

    fn no_memory(&mut self) -> Reply {
        // The class is not known here. The time is the same for all classes.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        Reply::unavailable("the server has no memory for this body\n", seconds)
    }

    fn refused_total(&self) -> u64 {
        self.refused_total
    }

    fn slo(&self) -> Option<Duration> {
        self.dispatcher.slo()
    }

    fn lost(&mut self, reason: LossReason) -> Reply {
        let text = match reason {
            LossReason::Panicked | LossReason::Forgotten => return failed().into(),
            LossReason::Expired => "the request's deadline has passed\n",
            LossReason::Drain => "the server ends\n",
            _ => "the server is busy\n",
        };
        // The class of a lost request is not known here. The time is the same for all classes.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        Reply::unavailable(text, seconds)
    }
}
