//! Static files over sockets: the stage on the reactor answers from memory, the other one reads.

use crate::client::Client;
use crate::site::until;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use seda_core::{Context, Graph, Refused, StageConfig, WorkerRange};
use seda_http::{Files, FilesConfig, Http, HttpConfig, HttpRequest, Server};
use std::fs;
use std::path::PathBuf;

struct FileSite {
    root: PathBuf,
    server: Server,
}

impl FileSite {
    fn start(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("seda-wire-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let files = Files::open(&root, FilesConfig::default()).unwrap();
        let mut config = HttpConfig::default();
        config.listen.set_port(0);
        let mut graph = Graph::new("files");
        let mut http = Http::bind(config).unwrap();
        let reactors = http.pool(&mut graph);
        let memory = graph.stage::<HttpRequest>("memory", 1_024);
        let disk = graph.stage::<HttpRequest>("disk", 1_024);
        http.entry(&mut graph, memory).unwrap();
        let in_memory = files.clone();
        graph
            .attach_each_in(&reactors, memory, |wire| {
                let disk = wire.sink(disk);
                move |call: HttpRequest, cx: &mut Context| match in_memory
                    .try_respond(&call.request)
                {
                    Some(answer) => call.respond(answer),
                    None => cx.send(&disk, call).unwrap_or_else(Refused::give_up),
                }
            })
            .unwrap();
        graph
            .attach_each(disk, |_wire| {
                move |call: HttpRequest, _cx: &mut Context| {
                    let answer = files.respond(&call.request);
                    call.respond(answer);
                }
            })
            .unwrap();
        let workers = Some(WorkerRange::exactly(1));
        graph.configure(disk, StageConfig { workers, ..StageConfig::default() }).unwrap();
        let server = http.serve(graph.start().unwrap()).unwrap();
        Self { root, server }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.root.join(name), content).unwrap();
    }

    fn client(&self) -> Client {
        Client::connect(self.server.local_addr())
    }
}

impl Drop for FileSite {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: t\r\n{fields}\r\n")
}

/// A download that ends early is resumed, as curl does with `-C -`.
#[test]
fn a_download_is_resumed_at_its_end() {
    let site = FileSite::start("resume");
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    // Read while it is sent, and kept in memory.
    site.write("large", &content);
    site.write("small", &content[..5_000]);
    for (path, content) in [("/large", &content[..]), ("/small", &content[..5_000])] {
        let mut client = site.client();
        let whole = client.fetch(path);
        assert_eq!(whole.status, 200);
        assert!(whole.body == content);
        let cut = content.len() / 3;
        let fields = format!("Range: bytes={cut}-\r\n");
        client.send(request("GET", path, &fields));
        let rest = client.response();
        assert_eq!(rest.status, 206);
        let place = format!("bytes {cut}-{}/{}", content.len() - 1, content.len());
        assert_eq!(rest.field("content-range"), Some(place.as_str()));
        assert!(rest.body == content[cut..]);
        client.send(request("GET", path, "Range: bytes=0-1,9-19\r\n"));
        let several = client.response();
        assert!(several.field("content-type").unwrap().starts_with("multipart/byteranges"));
        client.send(request("GET", path, "Range: bytes=2000000-\r\n"));
        assert_eq!(client.response().status, 416);
        assert_eq!(client.fetch(path).status, 200);
    }
}

#[test]
fn a_conditional_request_gets_304_and_the_connection_goes_on() {
    let site = FileSite::start("conditional");
    site.write("a.txt", "content\n");
    let mut client = site.client();
    // The tag changes once, when the last change is some milliseconds ago.
    until("the file is unmodified", || {
        let etag = client.fetch("/a.txt").field("etag").unwrap().to_owned();
        client.send(request("GET", "/a.txt", &format!("If-None-Match: {etag}\r\n")));
        let response = client.response();
        if response.status == 304 {
            assert_eq!(response.field("etag"), Some(etag.as_str()));
            assert_eq!((response.field("content-length"), response.body.len()), (None, 0));
        }
        response.status == 304
    });
    assert_eq!(client.fetch("/a.txt").text(), "content\n");
}

#[test]
fn head_has_the_length_and_no_body() {
    let site = FileSite::start("head");
    site.write("a", vec![b'x'; 200_000]);
    let mut client = site.client();
    client.send(request("HEAD", "/a", ""));
    let response = client.response_without_body();
    assert_eq!((response.status, response.field("content-length")), (200, Some("200000")));
    assert_eq!(client.fetch("/a").body.len(), 200_000);
}

/// Of all answers of a connection the one that is written holds its file open. The others have it
/// opened again, if it is the same by then.
#[test]
fn pipelined_requests_for_large_files_hold_one_file_open() {
    /// More than the buffers of a socket hold.
    const LARGE: usize = 64 * 1024 * 1024;
    let site = FileSite::start("pipelined");
    let (path, other) = (site.root.join("large"), site.root.join("other"));
    for path in [&path, &other] {
        fs::File::create(path).unwrap().set_len(LARGE as u64).unwrap();
    }
    let is_open = |entry: &std::io::Result<fs::DirEntry>| {
        entry.as_ref().is_ok_and(|it| fs::read_link(it.path()).is_ok_and(|link| link == path))
    };
    let open = || fs::read_dir("/proc/self/fd").unwrap().filter(is_open).count();
    let mut client = site.client();
    client.send(request("GET", "/large", "").repeat(32));
    until("all are answered", || site.server.graph().report().requests.answered == 32);
    until("one file is open", || open() == 1);
    assert_eq!(client.response().body.len(), LARGE);
    // The second is being written when the file becomes another one.
    assert_eq!(client.head().status, 200);
    fs::rename(&other, &path).unwrap();
    assert_eq!(client.bytes(LARGE).len(), LARGE);
    for _ in 2..32 {
        let response = client.response();
        assert_eq!((response.status, response.field("retry-after")), (503, Some("1")));
    }
    assert_eq!(client.fetch("/large").status, 200);
}

/// The stage has one worker: a request that waited for a FIFO would stop all others.
#[test]
fn requests_for_a_fifo_stop_no_other_file() {
    let site = FileSite::start("fifo");
    mknodat(CWD, site.root.join("fifo"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
    site.write("a", "content");
    let mut waiting: Vec<Client> = (0..8).map(|_| site.client()).collect();
    waiting.iter_mut().for_each(|client| client.get("/fifo"));
    let mut client = site.client();
    assert_eq!(client.fetch("/a").text(), "content");
    for client in &mut waiting {
        assert_eq!(client.response().status, 404);
        assert_eq!(client.fetch("/a").text(), "content");
    }
}
