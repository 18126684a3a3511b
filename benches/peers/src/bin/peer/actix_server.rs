//! actix-web: a runtime with one thread for each worker.

use actix_web::http::header::ContentType;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, error, rt, web};
use peers::{answers, burn};
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// Serves until the process ends.
pub(crate) fn serve(listener: TcpListener, threads: usize, blocks: bool) -> io::Result<()> {
    let app = move || {
        let (work, sleep) = match blocks {
            true => (web::get().to(work_blocking), web::get().to(sleep_blocking)),
            false => (web::get().to(work_inline), web::get().to(sleep_async)),
        };
        App::new()
            .route("/", web::get().to(async || text(answers::HELLO)))
            .route("/file8k", web::get().to(async || text(answers::FILE)))
            .route("/work", work)
            .route("/sleep", sleep)
            .default_service(web::to(async || HttpResponse::NotFound().body(answers::NOT_FOUND)))
    };
    // Without a handler SIGTERM ends the process, as with the other peers.
    let server = HttpServer::new(app).workers(threads).disable_signals();
    rt::System::new().block_on(server.listen(listener)?.run())
}

async fn work_inline(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let micros = answers::micros(query(&request)).map_err(error::ErrorBadRequest)?;
    burn(Duration::from_micros(micros));
    Ok(text(answers::burned(micros)))
}

async fn work_blocking(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let micros = answers::micros(query(&request)).map_err(error::ErrorBadRequest)?;
    web::block(move || burn(Duration::from_micros(micros))).await?;
    Ok(text(answers::burned(micros)))
}

async fn sleep_async(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let millis = answers::millis(query(&request)).map_err(error::ErrorBadRequest)?;
    rt::time::sleep(Duration::from_millis(millis)).await;
    Ok(text(answers::slept(millis)))
}

#[expect(clippy::disallowed_methods, reason = "this route is there to block")]
async fn sleep_blocking(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let millis = answers::millis(query(&request)).map_err(error::ErrorBadRequest)?;
    web::block(move || std::thread::sleep(Duration::from_millis(millis))).await?;
    Ok(text(answers::slept(millis)))
}

fn query(request: &HttpRequest) -> Option<&str> {
    request.uri().query()
}

fn text(body: impl Into<web::Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body(body.into())
}
