//! Calls of two tenants, in an open loop: each is sent at its time, whatever became of the others.

use crate::method;
use clap::Args;
use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// When a refused client may try again, in milliseconds.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The tenants, and the calls of each as a multiple of `--rate`.
const TENANTS: [(&str, u32); 2] = [("modest", 1), ("greedy", 10)];

/// The settings of the load.
#[derive(Args)]
pub(crate) struct Load {
    /// Calls a server at this address, such as http://127.0.0.1:50051, instead of serving
    #[arg(long, value_name = "URL")]
    client: Option<String>,
    /// With --client: the calls per second of the modest tenant; the greedy one sends ten times as
    /// many
    #[arg(long, default_value = "50")]
    rate: NonZeroU32,
    /// With --client: the CPU time of a call, in microseconds
    #[arg(long, default_value = "8000")]
    micros: u64,
    /// With --client: the time that a client waits for its answer
    #[arg(long, default_value = "500ms", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// With --client: how long both tenants send
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    duration: Duration,
}

impl Load {
    /// Returns the address of the server to call; `None` if this process is the server.
    pub(crate) fn server(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Sends the calls of both tenants, and prints what became of them.
    pub(crate) async fn run(&self, server: &str) -> Result<(), Box<dyn Error>> {
        // A connection for each tenant: one with too many calls holds up its own.
        let [modest, greedy] = TENANTS;
        let (first, second) = (connect(server).await?, connect(server).await?);
        let outcomes = tokio::join!(self.send(first, modest), self.send(second, greedy));
        println!(
            "{:<8}{:>8}{:>8}{:>20}{:>19}{:>8}{:>10}  retry after",
            "tenant", "sent", "ok", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "other", "p99 of ok"
        );
        outcomes.0.print(modest.0);
        outcomes.1.print(greedy.0);
        Ok(())
    }

    /// Sends the calls of one tenant, evenly spread over the duration.
    async fn send(&self, channel: Channel, (tenant, multiple): (&'static str, u32)) -> Outcomes {
        let rate = f64::from(self.rate.get()) * f64::from(multiple);
        let sent = (self.duration.as_secs_f64() * rate).round() as u32;
        let began = Instant::now();
        let mut calls = JoinSet::new();
        for n in 0..sent {
            let due = began + self.duration.mul_f64(f64::from(n) / f64::from(sent));
            sleep_until(due).await;
            calls.spawn(call(channel.clone(), self.request(tenant), due));
        }
        let mut outcomes = Outcomes { sent, ..Outcomes::default() };
        calls.join_all().await.into_iter().for_each(|outcome| outcomes.add(outcome));
        outcomes
    }

    fn request(&self, tenant: &'static str) -> Request<u64> {
        let mut request = Request::new(self.micros);
        request.set_timeout(self.timeout);
        request.metadata_mut().insert(method::TENANT, MetadataValue::from_static(tenant));
        request
    }
}

async fn connect(server: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(server.to_owned())?.connect().await
}

/// Returns the time of the answer since the call was due, or the status in its place.
async fn call(channel: Channel, request: Request<u64>, due: Instant) -> Result<Duration, Status> {
    method::call(channel, request).await.map(|_micros| due.elapsed())
}

/// The calls of a tenant by their outcome.
#[derive(Default)]
struct Outcomes {
    sent: u32,
    answered: Vec<Duration>,
    refused: u32,
    late: u32,
    other: u32,
    /// The longest time after which a refused client may try again, in milliseconds.
    pushback: Option<u64>,
}

impl Outcomes {
    fn add(&mut self, outcome: Result<Duration, Status>) {
        let status = match outcome {
            Ok(time) => return self.answered.push(time),
            Err(status) => status,
        };
        match status.code() {
            Code::ResourceExhausted => {
                self.refused += 1;
                self.pushback = self.pushback.max(pushback(&status));
            }
            // tonic's own timer cancels a call at its deadline.
            Code::DeadlineExceeded | Code::Cancelled => self.late += 1,
            _ => self.other += 1,
        }
    }

    fn print(mut self, tenant: &str) {
        self.answered.sort_unstable();
        let answered = self.answered.len();
        let p99 = self.answered.get((answered * 99).div_ceil(100).saturating_sub(1));
        let p99 = p99.map_or_else(|| "-".to_owned(), |time| format!("{} ms", time.as_millis()));
        let pushback = self.pushback.map_or_else(|| "-".to_owned(), |most| format!("{most} ms"));
        let Self { sent, refused, late, other, .. } = self;
        println!(
            "{tenant:<8}{sent:>8}{answered:>8}{refused:>20}{late:>19}{other:>8}{p99:>10}  {pushback}"
        );
    }
}

/// Returns the time of a refusal, in milliseconds.
fn pushback(status: &Status) -> Option<u64> {
    let value: &AsciiMetadataValue = status.metadata().get(PUSHBACK)?;
    value.to_str().ok()?.parse().ok()
}
