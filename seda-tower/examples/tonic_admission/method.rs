//! The one method, `rpc Burn(Micros) returns (Micros)`, without code from a `.proto` file.
//!
//! tonic's generated code has the same parts: a service that finds a method by its path, and a
//! client that calls it. Its messages have `tonic_prost::ProstCodec` in place of [`Number`].

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::{Request, Response, Status};
use tower::{Service, service_fn};

/// The name of the tenant in the metadata of a call.
pub(crate) const TENANT: &str = "x-tenant";

const BURN: &str = "/seda.Work/Burn";

/// The longest work of a call, in microseconds.
const MICROS_MOST: u64 = 10_000_000;

type BoxError = Box<dyn Error + Send + Sync>;

/// The service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work;

impl NamedService for Work {
    const NAME: &'static str = "seda.Work";
}

impl Service<http::Request<Body>> for Work {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path() != BURN {
                return Ok(Status::unimplemented("the only method is Burn").into_http());
            }
            Ok(tonic::server::Grpc::new(Number).unary(service_fn(burn), request).await)
        })
    }
}

/// Burns CPU time on the thread of the runtime.
async fn burn(request: Request<u64>) -> Result<Response<u64>, Status> {
    let micros = request.into_inner().min(MICROS_MOST);
    let until = thread_time() + Duration::from_micros(micros);
    let mut sum = 0_u64;
    while thread_time() < until {
        // About 2 us between two reads of the clock, each of which is a system call.
        (0..2_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_mul(31) ^ n));
    }
    Ok(Response::new(micros))
}

/// Returns the CPU time of this thread.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Calls the method at a server, or at a service in this process.
pub(crate) async fn call<S, B>(server: S, request: Request<u64>) -> Result<u64, Status>
where
    S: Service<http::Request<Body>, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + Send,
{
    let mut client = tonic::client::Grpc::new(server);
    client.ready().await.map_err(|error| Status::unavailable(error.into().to_string()))?;
    let answer = client.unary(request, PathAndQuery::from_static(BURN), Number).await?;
    Ok(answer.into_inner())
}

/// A message of eight bytes: a number.
#[derive(Clone, Copy, Debug)]
struct Number;

impl Codec for Number {
    type Encode = u64;
    type Decode = u64;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Number {
    type Item = u64;
    type Error = Status;

    fn encode(&mut self, number: u64, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_u64(number);
        Ok(())
    }
}

impl Decoder for Number {
    type Item = u64;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<u64>, Status> {
        let number = buffer.try_get_u64();
        number.map(Some).map_err(|_| Status::invalid_argument("a message has eight bytes"))
    }
}
