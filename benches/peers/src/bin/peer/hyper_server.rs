//! hyper on a runtime with one thread. The difference to axum is the cost of axum alone.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use peers::{answers, burn};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::sleep;

/// Pause of a listener without a free file handle, until a client disconnects.
const NO_HANDLES: Duration = Duration::from_millis(50);

/// Serves until the process ends.
pub(crate) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(NO_HANDLES).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(request).await));
            let mut http = http1::Builder::new();
            let http = http.timer(TokioTimer::new());
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    })
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query();
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => text(StatusCode::OK, answers::HELLO),
        (&Method::GET, "/file8k") => text(StatusCode::OK, answers::FILE),
        (&Method::GET, "/work") => match answers::micros(query) {
            Ok(micros) => {
                burn(Duration::from_micros(micros));
                text(StatusCode::OK, answers::burned(micros))
            }
            Err(error) => text(StatusCode::BAD_REQUEST, error.to_string()),
        },
        (&Method::GET, "/sleep") => match answers::millis(query) {
            Ok(millis) => {
                sleep(Duration::from_millis(millis)).await;
                text(StatusCode::OK, answers::slept(millis))
            }
            Err(error) => text(StatusCode::BAD_REQUEST, error.to_string()),
        },
        _ => text(StatusCode::NOT_FOUND, answers::NOT_FOUND),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answers::PLAIN));
    answer
}
