//! The admin side's own listener, with a reactor on a thread of its own.

use super::admin::{AdminService, AdminView};
use super::admin_config::AdminPlace;
use super::codec::Http1;
use super::reply::Reply;
use crate::h1::Limits;
use crate::reactor::{Body, Counters, Settings};
use crate::server::{BindError, ServeError, SideBounds, SideListener, SideReactor};
use http::Response;
use seda_admin::{Admin, AdminAccess, AdminPath};
use seda_core::{Clock, ReplySink};
use std::sync::Arc;

/// The most connections at once: more than dashboards and scrapers of one server. The bound is
/// apart from that of the public listener, so operators get in when that one is full.
const CONNECTIONS: usize = 128;

/// The name of the thread.
const THREAD: &str = "admin";

/// A listener for the admin side alone, before it serves.
#[derive(Debug)]
pub(super) struct AdminListener {
    listener: SideListener,
    access: AdminAccess,
}

impl AdminListener {
    /// Listens at `place`, whose port 0 is replaced; `None` for a place on the public listener.
    pub(super) fn bind(
        place: &mut AdminPlace,
        hosts: &[String],
    ) -> Result<Option<Self>, BindError> {
        let access = AdminAccess::closed().with_probes().with_pages(AdminPath::default());
        let bound = match place {
            AdminPlace::Tcp(address) => SideListener::bind_tcp(address)
                .map(|listener| Self { listener, access: access.for_hosts(hosts.to_vec()) }),
            AdminPlace::Unix(path) => {
                SideListener::bind_unix(path).map(|listener| Self { listener, access })
            }
            AdminPlace::Auto | AdminPlace::Off | AdminPlace::Path(_) => return Ok(None),
        };
        match bound {
            Ok(listener) => Ok(Some(listener)),
            Err(source) => Err(BindError::Admin { place: place.to_string(), source }),
        }
    }

    /// Starts the thread. All bodies together may have the memory of one: no page needs one.
    pub(super) fn serve(
        self,
        admin: Arc<Admin>,
        limits: Limits,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<SideReactor<Reply>, ServeError> {
        let Self { listener, access } = self;
        let counters = Arc::<Counters>::default();
        let bounds = SideBounds { connections: CONNECTIONS, bodies: limits.body_bytes, settings };
        let started = listener.serve(THREAD, bounds, Arc::clone(&counters), clock, |mailbox| {
            let reply_sink = Arc::clone(mailbox) as Arc<dyn ReplySink<Response<Body>>>;
            let view = AdminView::new(admin, access, reply_sink);
            let service = AdminService { view, body_bytes: limits.body_bytes };
            (Http1::new(limits, counters), service)
        });
        started.map_err(|source| ServeError::Admin { source })
    }
}
