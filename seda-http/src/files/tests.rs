//! Answers of [`Files`], over a real directory and without a socket.

use super::root::Opening;
use super::*;
use http::request::Builder;
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use seda_core::ManualClock;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

const REVALIDATE: Duration = Duration::from_millis(100);

/// A moment at which the files of a test have not changed for long.
fn later() -> SystemTime {
    wall_time() + Duration::from_secs(3_600)
}

/// A directory with its files, and the answers to requests for them.
struct Site {
    path: PathBuf,
    clock: Arc<ManualClock>,
    files: Files,
}

impl Site {
    fn new(name: &str) -> Self {
        Self::with(name, |_| {})
    }

    fn with(name: &str, change: impl FnOnce(&mut FilesConfig)) -> Self {
        let name = format!("seda-files-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let mut config = FilesConfig { revalidate: REVALIDATE, ..FilesConfig::default() };
        change(&mut config);
        let clock = Arc::new(ManualClock::new());
        let clocks = Clocks { monotonic: Arc::clone(&clock) as Arc<_>, wall: later };
        let files = Files::with_clocks(&path, config, clocks).unwrap();
        Self { path, clock, files }
    }

    /// Returns the same site on a kernel without openat2.
    fn without_openat2(&self) -> Files {
        let config = self.files.shared.config.clone();
        let monotonic = Arc::clone(&self.clock) as Arc<dyn seda_core::Clock>;
        let clocks = Clocks { monotonic, wall: later };
        let root = Root::open(&self.path, clocks.monotonic.now()).unwrap().without_openat2();
        Files::new(root, FieldRules::new(&config).unwrap(), config, clocks)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn get(&self, target: &str) -> Answer {
        self.ask(Request::get(target))
    }

    fn ask(&self, request: Builder) -> Answer {
        Answer::of(self.files.respond(&request.body(()).unwrap()))
    }

    /// Lets files in memory be compared with the disk at the next request.
    fn expire(&self) {
        self.clock.advance(REVALIDATE);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
    /// The content comes from memory.
    is_memory: bool,
}

impl Answer {
    fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let is_memory = matches!(body, Body::Bytes(_));
        let body = match body {
            Body::Bytes(bytes) => bytes.to_vec(),
            Body::Stored(stored) => {
                let length = stored.length();
                let file = stored.into_file().unwrap();
                let mut content = Vec::new();
                file.take(length).read_to_end(&mut content).unwrap();
                assert_eq!(content.len() as u64, length);
                content
            }
            body => {
                assert!(body.is_empty());
                Vec::new()
            }
        };
        Self { status: parts.status.as_u16(), headers: parts.headers, body, is_memory }
    }

    fn field(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[test]
fn a_file_is_answered_with_its_type_and_validators() {
    let site = Site::new("fields");
    site.write("a.css", "body {}");
    let answer = site.get("/a.css?v=1");
    assert_eq!((answer.status, answer.text()), (200, "body {}"));
    assert_eq!(answer.field(header::CONTENT_TYPE), Some("text/css; charset=utf-8"));
    assert_eq!(answer.field(header::X_CONTENT_TYPE_OPTIONS), Some("nosniff"));
    assert_eq!(answer.field(header::CACHE_CONTROL), Some("no-cache"));
    assert_eq!(answer.field(header::ACCEPT_RANGES), Some("bytes"));
    assert_eq!(answer.field(header::VARY), Some("accept-encoding"));
    assert!(answer.field(header::ETAG).unwrap().starts_with('"'));
    assert!(answer.field(header::LAST_MODIFIED).unwrap().ends_with(" GMT"));
    site.write("empty", "");
    let answer = site.get("/empty");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

/// RFC 9110 §15.5.6: an Allow field with the methods.
#[test]
fn a_method_other_than_get_and_head_is_not_allowed() {
    let site = Site::new("methods");
    site.write("a", "content");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = site.ask(Request::builder().method(method).uri("/a"));
        assert_eq!((answer.status, answer.field(header::ALLOW)), (405, Some("GET, HEAD")));
    }
}

/// RFC 9110 §9.3.2: the fields of a GET, and no content.
#[test]
fn head_has_the_fields_of_get_and_reads_no_file() {
    let site = Site::new("head");
    site.write("a", "content");
    for range in [None, Some("bytes=0-1")] {
        let mut request = Request::head("/a");
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let mut head = site.ask(request);
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.headers.remove(header::CONTENT_LENGTH).unwrap(), "7");
        assert_eq!(head.headers, site.get("/a").headers);
    }
}

/// A FIFO is not waited for, and `/dev/zero` is not read.
#[test]
fn only_regular_files_are_sent() {
    let site = Site::new("special");
    mknodat(CWD, site.path.join("fifo"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
    let _socket = UnixListener::bind(site.path.join("socket")).unwrap();
    symlink("/dev/zero", site.path.join("zero")).unwrap();
    let walked = site.without_openat2();
    for path in ["/fifo", "/socket", "/zero", "/fifo/", "/fifo/x"] {
        assert_eq!(site.get(path).status, 404, "{path}");
        let request = Request::get(path).body(()).unwrap();
        assert_eq!(walked.respond(&request).status(), 404, "{path}");
    }
    let devices = Files::open("/dev", FilesConfig::default()).unwrap();
    for device in ["/zero", "/null"] {
        let request = Request::get(device).body(()).unwrap();
        assert_eq!(devices.respond(&request).status(), 404);
    }
}

#[test]
fn a_link_is_followed_only_beneath_the_root() {
    let site = Site::new("links");
    site.write("real/a", "inside");
    let outside = site.path.with_extension("outside");
    fs::write(&outside, "secret").unwrap();
    symlink("real/a", site.path.join("file")).unwrap();
    symlink("real", site.path.join("directory")).unwrap();
    symlink("circle", site.path.join("circle")).unwrap();
    symlink(&outside, site.path.join("absolute")).unwrap();
    let up = format!("../{}", outside.file_name().unwrap().to_str().unwrap());
    symlink(up, site.path.join("up")).unwrap();
    symlink("..", site.path.join("parent")).unwrap();
    symlink("/proc/self/root", site.path.join("magic")).unwrap();
    let walked = site.without_openat2();
    let walk = |path: &str| walked.respond(&Request::get(path).body(()).unwrap()).status();
    assert_eq!(walk("/real/a"), 200);
    let follows = root_follows_links(&site);
    for path in ["/file", "/directory/a"] {
        assert_eq!(site.get(path).status, if follows { 200 } else { 404 }, "{path}");
        assert_eq!(walk(path), 404, "{path}");
    }
    let outer = format!("/parent/{}", outside.file_name().unwrap().to_str().unwrap());
    for path in ["/circle", "/absolute", "/up", "/parent/", &outer, "/magic/etc/passwd"] {
        assert_eq!(site.get(path).status, 404, "{path}");
        assert_eq!(walk(path), 404, "{path}");
    }
    fs::remove_file(outside).unwrap();
}

fn root_follows_links(site: &Site) -> bool {
    site.files.shared.store.opening() == Opening::Beneath
}

#[test]
fn a_name_that_no_file_can_have_is_not_found() {
    let site = Site::new("names");
    site.write("a", "content");
    let long = format!("/{}", "a".repeat(5_000));
    let deep = "/a".repeat(3_000);
    for path in [&long, &deep, "/a/b", "/a/", "/%00", "/a%2fb", "/..%2fa", "/%ff", "/a%5c", "*"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
}

#[test]
fn dotfiles_are_hidden_unless_asked_for() {
    let hidden = Site::new("dots");
    let shown = Site::with("dots-shown", |config| config.dotfiles = true);
    for site in [&hidden, &shown] {
        site.write(".env", "secret");
        site.write(".git/config", "secret");
        site.write(".well-known/security.txt", "public");
        let expected = if site.files.shared.config.dotfiles { 200 } else { 404 };
        assert_eq!(site.get("/.env").status, expected);
        assert_eq!(site.get("/.git/config").status, expected);
        assert_eq!(site.get("/.well-known/security.txt").text(), "public");
    }
}

#[test]
fn a_directory_has_a_slash_and_an_index() {
    let site = Site::new("directories");
    site.write("index.html", "root");
    site.write("dir/index.html", "inner");
    site.write("bare/a", "content");
    assert_eq!(site.get("/").text(), "root");
    assert_eq!(site.get("/dir/").text(), "inner");
    assert_eq!(site.get("/bare/").status, 404);
    assert_eq!(site.get("/dir/").field(header::CONTENT_TYPE), Some("text/html; charset=utf-8"));
    for (target, location) in [
        ("/dir", "/dir/"),
        ("/dir?a=b&c", "/dir/?a=b&c"),
        ("/%64ir", "/%64ir/"),
        ("//dir", "/dir/"),
        ("///dir?q=//x", "/dir/?q=//x"),
    ] {
        let answer = site.get(target);
        assert_eq!((answer.status, answer.field(header::LOCATION)), (301, Some(location)));
    }
    // The same path could be read as a host.
    assert_eq!(site.get("//evil.example/..").status, 404);
}

#[test]
fn a_prefix_is_no_part_of_a_path() {
    let site = Site::with("prefix", |config| config.prefix = "/static".to_owned());
    site.write("dir/index.html", "inner");
    assert_eq!(site.get("/static/dir/").text(), "inner");
    assert_eq!(site.get("/static/dir").field(header::LOCATION), Some("/static/dir/"));
    assert_eq!(site.get("/static?a").field(header::LOCATION), Some("/static/?a"));
    for path in ["/dir/", "/statics/dir/", "/static/../static/dir/"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_listing_shows_names_as_text_and_links() {
    let site = Site::with("listing", |config| config.listing = true);
    for name in ["<script>&\"'.txt", "a b#?.txt", ".hidden", "back\\slash", "sub/a"] {
        site.write(&format!("dir/{name}"), "content");
    }
    mknodat(CWD, site.path.join("dir/fifo"), FileType::Fifo, Mode::from(0o600), 0).unwrap();
    let answer = site.get("/dir/");
    let page = answer.text();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field(header::CONTENT_SECURITY_POLICY), Some("default-src 'none'"));
    assert!(page.contains("<a href=\"%3Cscript%3E%26%22%27.txt\">&lt;script&gt;&amp;&quot;&#39;"));
    assert!(page.contains("<a href=\"a%20b%23%3F.txt\">a b#?.txt</a>"));
    assert!(page.contains("<a href=\"sub/\">sub/</a>") && page.contains("<a href=\"../\">"));
    for hidden in ["hidden", "slash", "fifo", "<script>"] {
        assert!(!page.contains(hidden), "{page}");
    }
    assert_eq!(site.get("/dir/a%20b%23%3F.txt").status, 200);
    assert!(!site.get("/").text().contains("../"));
    assert_eq!(site.get("/none/").status, 404);
    assert_eq!(site.get("/dir/sub/a/").status, 404);
    site.write("dir/index.html", "index");
    assert_eq!(site.get("/dir/").text(), "index");
}

/// RFC 9110 §15.4.5.
#[test]
fn a_304_has_the_fields_that_a_cache_needs() {
    let site = Site::new("unmodified");
    site.write("a", "content");
    let full = site.get("/a");
    let etag = full.field(header::ETAG).unwrap();
    let modified = full.field(header::LAST_MODIFIED).unwrap();
    for (name, value) in [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, modified)] {
        for request in [Request::get("/a"), Request::head("/a")] {
            let answer = site.ask(request.header(&name, value));
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{name}");
            for kept in [header::ETAG, header::VARY, header::CACHE_CONTROL] {
                assert_eq!(answer.field(kept.clone()), full.field(kept));
            }
            assert_eq!(answer.headers.len(), 3);
        }
    }
    let answer = site.ask(Request::get("/a").header(header::IF_MATCH, "\"x\""));
    assert_eq!(answer.status, 412);
    // A precondition is no matter of a file that is not there.
    assert_eq!(site.ask(Request::get("/b").header(header::IF_NONE_MATCH, "*")).status, 404);
}

#[test]
fn cache_control_follows_the_first_pattern_that_matches() {
    let site = Site::with("cache-control", |config| {
        config.cache_control = vec![
            CacheControlRule::new("/assets/*", "immutable"),
            CacheControlRule::new("*.html", "no-cache"),
        ];
    });
    for path in ["assets/a.html", "index.html", "other"] {
        site.write(path, "content");
    }
    assert_eq!(site.get("/assets/a.html").field(header::CACHE_CONTROL), Some("immutable"));
    assert_eq!(site.get("/").field(header::CACHE_CONTROL), Some("no-cache"));
    assert_eq!(site.get("/other").field(header::CACHE_CONTROL), None);
}

/// RFC 9110 §12.5.3 and §8.8.3.3.
#[test]
fn a_stored_coding_is_chosen_by_quality_and_has_a_tag_of_its_own() {
    let site = Site::new("codings");
    site.write("a.js", "plain");
    site.write("a.js.br", "brotli");
    site.write("a.js.gz", "gzip");
    site.write("only.js.gz", "no original");
    fs::create_dir(site.path.join("a.js.zst")).unwrap();
    let mut tags = Vec::new();
    for (accept, content, coding) in [
        ("gzip, br, zstd", "brotli", Some("br")),
        ("gzip", "gzip", Some("gzip")),
        ("zstd", "plain", None),
        ("br;q=0.1, identity", "plain", None),
        ("br;q=0, *;q=0.1", "gzip", Some("gzip")),
    ] {
        let request = || Request::get("/a.js").header(header::ACCEPT_ENCODING, accept);
        let answer = site.ask(request());
        assert_eq!((answer.status, answer.text()), (200, content), "{accept}");
        assert_eq!(answer.field(header::CONTENT_ENCODING), coding);
        assert_eq!(answer.field(header::VARY), Some("accept-encoding"));
        assert_eq!(answer.field(header::CONTENT_TYPE), Some("text/javascript; charset=utf-8"));
        let tag = answer.field(header::ETAG).unwrap().to_owned();
        assert_eq!(site.ask(request().header(header::IF_NONE_MATCH, &tag)).status, 304);
        // A range is one of the bytes that are sent (§14.2).
        let part = site.ask(request().header(header::RANGE, "bytes=1-2"));
        assert_eq!((part.status, part.text()), (206, &content[1..3]));
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3);
    let refused = Request::get("/a.js").header(header::ACCEPT_ENCODING, "identity;q=0, zstd");
    assert_eq!(site.ask(refused).status, 406);
    let request = Request::get("/only.js").header(header::ACCEPT_ENCODING, "gzip");
    assert_eq!(site.ask(request).status, 404);
    // A file with the name of a coding is sent as it is.
    let direct = site.get("/a.js.gz");
    assert_eq!((direct.text(), direct.field(header::CONTENT_ENCODING)), ("gzip", None));
    assert_eq!(direct.field(header::CONTENT_TYPE), Some("application/gzip"));
}

#[test]
fn stored_codings_can_be_off() {
    let site = Site::with("no-codings", |config| config.precompressed = false);
    site.write("a", "plain");
    site.write("a.gz", "gzip");
    let answer = site.ask(Request::get("/a").header(header::ACCEPT_ENCODING, "gzip"));
    assert_eq!((answer.text(), answer.field(header::VARY)), ("plain", None));
}

/// RFC 9110 §14.
#[test]
fn a_range_is_answered_with_its_place_in_the_file() {
    let site = Site::new("ranges");
    site.write("a.txt", "0123456789");
    let ask = |range: &str| site.ask(Request::get("/a.txt").header(header::RANGE, range));
    for (range, status, content, place) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=0-9", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=0-5,3-9", 200, "0123456789", None),
        ("lines=1-2", 200, "0123456789", None),
        ("bytes=10-", 416, "the file has no such bytes\n", Some("bytes */10")),
    ] {
        let answer = ask(range);
        assert_eq!((answer.status, answer.text()), (status, content), "{range}");
        assert_eq!(answer.field(header::CONTENT_RANGE), place, "{range}");
    }
    let several = ask("bytes=8-,0-1");
    let tag = several.field(header::ETAG).unwrap().trim_matches('"').to_owned();
    let kind = format!("multipart/byteranges; boundary={tag}");
    assert_eq!(several.field(header::CONTENT_TYPE), Some(kind.as_str()));
    let head = |place: &str| {
        format!("--{tag}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: {place}")
    };
    let expected = format!(
        "{}\r\n\r\n89\r\n{}\r\n\r\n01\r\n--{tag}--\r\n",
        head("bytes 8-9/10"),
        head("bytes 0-1/10")
    );
    assert_eq!((several.status, several.text()), (206, expected.as_str()));
}

#[test]
fn if_range_decides_between_the_part_and_the_whole() {
    let site = Site::new("if-range");
    site.write("a", "0123456789");
    let first = site.get("/a");
    let ask = |condition: &str| {
        let request = Request::get("/a").header(header::RANGE, "bytes=5-");
        site.ask(request.header(header::IF_RANGE, condition)).status
    };
    let etag = first.field(header::ETAG).unwrap();
    assert_eq!(ask(etag), 206);
    assert_eq!(ask(first.field(header::LAST_MODIFIED).unwrap()), 206);
    assert_eq!(ask(&format!("W/{etag}")), 200);
    assert_eq!(ask("Sun, 06 Nov 1994 08:49:37 GMT"), 200);
    site.write("a", "9876543210");
    site.expire();
    assert_eq!(ask(etag), 200);
}

#[test]
fn parts_too_large_for_memory_are_answered_with_the_whole_file() {
    let site = Site::new("large-parts");
    let file = fs::File::create(site.path.join("a")).unwrap();
    file.set_len(3 * 1024 * 1024).unwrap();
    let ask = |range: &str| site.ask(Request::get("/a").header(header::RANGE, range));
    assert_eq!(ask("bytes=0-9,1048576-1500000").status, 206);
    let whole = ask("bytes=0-999999,1000001-2000000");
    assert_eq!((whole.status, whole.body.len()), (200, 3 * 1024 * 1024));
}

/// Files that are asked for again come from memory, without a look at the disk within the time.
#[test]
fn a_file_in_memory_is_compared_with_the_disk_once_within_the_time() {
    let site = Site::new("memory");
    site.write("a", "one");
    let tag = |answer: &Answer| answer.field(header::ETAG).unwrap().to_owned();
    let first = site.get("/a");
    fs::remove_file(site.path.join("a")).unwrap();
    let again = site.get("/a");
    assert_eq!((again.text(), tag(&again)), ("one", tag(&first)));
    site.expire();
    assert_eq!(site.get("/a").status, 404);
    site.write("a", "two");
    let changed = site.get("/a");
    assert_eq!(changed.text(), "two");
    assert_ne!(tag(&changed), tag(&first));
    site.expire();
    assert_eq!((site.get("/a").text(), tag(&site.get("/a"))), ("two", tag(&changed)));
}

/// An answer that waits for its turn holds no file open.
#[test]
fn a_closed_file_is_opened_again_if_it_is_the_same() {
    let site = Site::with("again", |config| config.memory = 0);
    let content: Vec<u8> = (0..200_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
    site.write("a.gz", &content);
    let closed = || {
        let request = Request::get("/a.gz").header(header::RANGE, "bytes=100-").body(()).unwrap();
        let Body::Stored(mut stored) = site.files.respond(&request).into_body() else {
            panic!("the file is read while it is sent")
        };
        stored.close();
        stored
    };
    let mut rest = Vec::new();
    closed().into_file().unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest == content[100..]);
    let (renamed, removed) = (closed(), closed());
    fs::rename(site.path.join("a.gz"), site.path.join("b")).unwrap();
    site.write("a.gz", &content);
    assert!(renamed.into_file().is_none());
    fs::remove_file(site.path.join("a.gz")).unwrap();
    assert!(removed.into_file().is_none());
}

#[test]
fn without_memory_each_request_reads_the_disk() {
    let site = Site::with("no-memory", |config| config.memory = 0);
    for content in ["one", "two"] {
        site.write("a", content);
        assert_eq!(site.get("/a").text(), content);
    }
    assert_eq!(site.files.shared.store.budget().used(), 0);
}

/// A second change within the resolution of time stamps leaves no trace.
#[test]
fn a_file_that_has_just_changed_is_not_kept_in_memory() {
    let site = Site::new("racy");
    // The last change is always recent.
    let clocks =
        Clocks { monotonic: Arc::clone(&site.clock) as Arc<_>, wall: || SystemTime::UNIX_EPOCH };
    let files = Files::with_clocks(&site.path, FilesConfig::default(), clocks).unwrap();
    let get = || Answer::of(files.respond(&Request::get("/a").body(()).unwrap()));
    for content in ["one", "two", "six"] {
        site.write("a", content);
        assert_eq!(get().text(), content);
    }
}

/// RFC 9110 §8.8.1: a client with its validators may have another content.
#[test]
fn a_file_that_has_just_changed_is_answered_whole_whatever_the_client_has() {
    let site = Site::new("racy-conditions");
    let clocks =
        Clocks { monotonic: Arc::clone(&site.clock) as Arc<_>, wall: || SystemTime::UNIX_EPOCH };
    let files = Files::with_clocks(&site.path, FilesConfig::default(), clocks).unwrap();
    site.write("a", "content");
    let ask = |request: Builder| Answer::of(files.respond(&request.body(()).unwrap()));
    let etag = ask(Request::get("/a")).field(header::ETAG).unwrap().to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    for tag in [etag.as_str(), etag.trim_start_matches("W/")] {
        let known = ask(Request::get("/a").header(header::IF_NONE_MATCH, tag));
        assert_eq!((known.status, known.text()), (200, "content"));
        let part = Request::get("/a").header(header::RANGE, "bytes=1-2");
        let part = ask(part.header(header::IF_RANGE, tag));
        assert_eq!((part.status, part.text()), (200, "content"));
    }
    // A client that has nothing of the file gets any part.
    let parts = ask(Request::get("/a").header(header::RANGE, "bytes=0-1,4-5"));
    assert_eq!(parts.status, 206);
    let contents: Vec<_> = self::parts(&parts).iter().map(|(.., part)| part.to_vec()).collect();
    assert_eq!(contents, [b"co", b"en"]);
}

#[test]
fn a_coding_that_appears_or_goes_is_seen_after_the_time() {
    let site = Site::new("coding-appears");
    site.write("a", "plain");
    let ask = || {
        let request = Request::get("/a").header(header::ACCEPT_ENCODING, "gzip");
        site.ask(request).text().to_owned()
    };
    assert_eq!(ask(), "plain");
    site.write("a.gz", "gzip");
    assert_eq!(ask(), "plain");
    site.expire();
    assert_eq!(ask(), "gzip");
    fs::remove_file(site.path.join("a.gz")).unwrap();
    site.expire();
    assert_eq!(ask(), "plain");
}

#[test]
fn a_larger_file_comes_from_memory_once_it_is_popular() {
    let site = Site::new("popular");
    let content: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    site.write("large", &content);
    site.write("huge", vec![b'x'; 2_000_000]);
    let ask = || site.ask(Request::get("/large").header(header::ACCEPT_ENCODING, "br, gzip"));
    let popular: Vec<bool> = (0..3).map(|_| ask().is_memory).collect();
    assert_eq!(popular, [false, true, true]);
    assert!(site.get("/large").body == content);
    assert!((0..3).all(|_| !site.get("/huge").is_memory));
}

#[test]
fn memory_is_bounded_and_given_back() {
    let memory = 256 * 1024;
    let site = Site::with("bounded", |config| config.memory = memory);
    for n in 0..50 {
        site.write(&format!("{n}"), vec![b'x'; 20_000]);
    }
    for _ in 0..3 {
        for n in 0..50 {
            assert_eq!(site.get(&format!("/{n}")).body.len(), 20_000);
            let store = &site.files.shared.store;
            assert!(store.cached_bytes() <= memory as u64);
            // No answer is on its way.
            assert!(store.budget().used() <= memory);
        }
    }
    assert!(site.files.shared.store.cached_bytes() > 0);
}

/// A crawler asks for each file once.
#[test]
fn a_crawl_of_all_files_displaces_no_popular_one() {
    let site = Site::with("crawl", |config| config.memory = 256 * 1024);
    site.write("popular", vec![b'p'; 20_000]);
    (0..3).for_each(|_| assert_eq!(site.get("/popular").status, 200));
    for n in 0..100 {
        site.write(&format!("{n}"), vec![b'x'; 20_000]);
        assert_eq!(site.get(&format!("/{n}")).status, 200);
    }
    // What is still answered is in memory.
    fs::remove_file(site.path.join("popular")).unwrap();
    fs::remove_file(site.path.join("50")).unwrap();
    assert_eq!([site.get("/popular").status, site.get("/50").status], [200, 404]);
}

#[test]
fn contents_on_their_way_are_bounded() {
    let site = Site::with("sending", |config| config.memory = 0);
    site.write("a", vec![b'x'; 64 * 1024]);
    let request = Request::get("/a").body(()).unwrap();
    let answers: Vec<_> = (0..1_025).map(|_| site.files.respond(&request)).collect();
    let in_memory = |answer: &&Response<Body>| matches!(answer.body(), Body::Bytes(_));
    assert_eq!(answers.iter().filter(in_memory).count(), 1_024);
    let last = answers.last().unwrap().body();
    assert!(matches!(last, Body::Stored(stored) if stored.length() == 65_536));
    drop(answers);
    assert_eq!(site.files.shared.store.budget().used(), 0);
}

/// A deployment: the link to the directory is replaced by one to another directory.
#[test]
fn a_switched_root_is_seen_after_twice_the_time() {
    let site = Site::new("switch");
    site.write("old/a", "old");
    site.write("new/a", "new");
    let link = site.path.join("current");
    symlink("old", &link).unwrap();
    let clocks = Clocks { monotonic: Arc::clone(&site.clock) as Arc<_>, wall: later };
    let config = site.files.shared.config.clone();
    let files = Files::with_clocks(&link, config, clocks).unwrap();
    let get = || Answer::of(files.respond(&Request::get("/a").body(()).unwrap())).text().to_owned();
    assert_eq!(get(), "old");
    symlink("new", site.path.join("next")).unwrap();
    fs::rename(site.path.join("next"), &link).unwrap();
    site.expire();
    site.expire();
    assert_eq!(get(), "new");
    // While the path leads nowhere, the last directory stays.
    fs::remove_file(&link).unwrap();
    site.expire();
    site.expire();
    assert_eq!(get(), "new");
}

#[test]
fn an_answer_without_a_wait_is_the_same_as_with_one() {
    let site = Site::with("try", |config| config.listing = true);
    site.write("small", "content");
    site.write("large", vec![b'x'; 100_000]);
    site.write("dir/a", "content");
    let walked = site.without_openat2();
    for path in ["/small", "/large", "/dir", "/none", "/../x"] {
        let request = Request::get(path).body(()).unwrap();
        let Some(tried) = site.files.try_respond(&request) else { continue };
        let (tried, waited) = (Answer::of(tried), site.get(path));
        assert_eq!((tried.status, &tried.headers), (waited.status, &waited.headers), "{path}");
        assert!(tried.body == waited.body);
    }
    let listing = Request::get("/dir/").body(()).unwrap();
    assert!(site.files.try_respond(&listing).is_none());
    // A file in memory needs nothing of the kernel.
    let small = Request::get("/small").body(()).unwrap();
    assert!(walked.try_respond(&small).is_none());
    assert_eq!(walked.respond(&small).status(), 200);
    assert_eq!(Answer::of(walked.try_respond(&small).unwrap()).text(), "content");
    site.expire();
    assert!(walked.try_respond(&small).is_none());
}

#[test]
fn ranges_of_random_sets_are_slices_of_the_file() {
    // No file is kept: the larger one is read from the disk each time.
    let site = Site::with("random-ranges", |config| config.memory = 0);
    let content: Vec<u8> = (0..150_000_u32).map(|n| (n ^ (n >> 7)) as u8).collect();
    site.write("small", &content[..60_000]);
    site.write("large", &content);
    let position = 0_u64..170_000;
    let set = prop::collection::vec((position.clone(), position), 1..5);
    proptest!(ProptestConfig::with_cases(200), |(set in set, is_small in any::<bool>())| {
        let (path, content) = if is_small {
            ("/small", &content[..60_000])
        } else {
            ("/large", &content[..])
        };
        let set: Vec<_> = set.iter().map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))).collect();
        let range = format!("bytes={}", set.join(","));
        let answer = site.ask(Request::get(path).header(header::RANGE, &range));
        prop_assert!(is_small || set.len() > 1 || answer.status == 416 || !answer.is_memory);
        match answer.status {
            200 => prop_assert!(answer.body == content),
            206 => for (first, last, part) in parts(&answer) {
                prop_assert!(part == &content[first..=last], "{}", range);
            },
            status => prop_assert_eq!(status, 416),
        }
    });
}

/// Returns the parts of a 206: first and last position, and the bytes.
fn parts(answer: &Answer) -> Vec<(usize, usize, &[u8])> {
    if let Some(place) = answer.field(header::CONTENT_RANGE) {
        let (first, last) = positions(place);
        return vec![(first, last, &answer.body)];
    }
    let kind = answer.field(header::CONTENT_TYPE).unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let mut rest = &answer.body[..];
    let mut parts = Vec::new();
    loop {
        rest = rest.strip_prefix(format!("--{boundary}").as_bytes()).unwrap();
        if rest == b"--\r\n" {
            return parts;
        }
        let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let (first, last) = positions(head.split("Content-Range: ").nth(1).unwrap());
        let content = &rest[end + 4..][..=last - first];
        parts.push((first, last, content));
        rest = &rest[end + 4 + content.len()..];
        rest = rest.strip_prefix(b"\r\n").unwrap();
    }
}

fn positions(place: &str) -> (usize, usize) {
    let place = place.strip_prefix("bytes ").unwrap().split('/').next().unwrap();
    let (first, last) = place.split_once('-').unwrap();
    (first.parse().unwrap(), last.parse().unwrap())
}
