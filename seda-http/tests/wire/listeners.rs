//! Several listeners of one server: TCP addresses, Unix sockets, sockets of the program.

use crate::client::Client;
use crate::site::Plan;
use seda_http::{BindError, Http, HttpConfig, ListenPlace, ListenerConfig, PeerList};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder for the socket of one test. It is removed with its files at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("seda-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("http.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns settings that listen at these places.
fn listening(places: &[&str]) -> HttpConfig {
    let mut config = HttpConfig::default();
    config.listen = serde_json::from_value(places.into()).unwrap();
    config
}

fn at(place: &Path) -> String {
    format!("unix:{}", place.display())
}

/// Returns the response to a request over a Unix socket, up to the end of the connection.
pub(crate) fn ask_unix(path: &Path, request: &str) -> String {
    let mut socket = UnixStream::connect(path).unwrap();
    socket.set_read_timeout(Some(crate::client::LIMIT)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

const ASK_CLIENT: &str = "GET /client HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[test]
fn one_server_serves_all_of_its_listeners_until_its_drain_closes_them() {
    let folder = Folder::new("several");
    let path = folder.socket();
    let http = listening(&["127.0.0.1:0", "0", &at(&path)]);
    let site = Plan { http, ..Plan::default() }.start();
    let [ListenPlace::Tcp(first), ListenPlace::Tcp(second), ListenPlace::Unix(file)] =
        site.server.local_addrs()
    else {
        panic!("{:?}", site.server.local_addrs())
    };
    assert_eq!((site.address(), file), (*first, &path));
    assert_ne!(first.port(), second.port());
    let (first, second) = (*first, *second);
    let mut clients = [first, second].map(Client::connect);
    for _ in 0..3 {
        for client in &mut clients {
            assert_eq!(client.fetch("/client").text(), "127.0.0.1");
        }
        assert!(ask_unix(&path, ASK_CLIENT).ends_with("\r\n\r\nunknown"));
    }
    // The owner and the group may connect.
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    drop(clients);
    assert!(site.server.drain(Duration::from_secs(50)).complete);
    for address in [first, second] {
        assert!(TcpStream::connect(address).is_err());
    }
    assert!(!path.exists());
}

/// The admin pages are for this machine, and a proxy at a Unix socket passes on the requests of
/// others.
#[test]
fn with_a_unix_socket_the_admin_pages_are_off_unless_a_setting_shows_them() {
    let folder = Folder::new("auto");
    let http = listening(&["127.0.0.1:0", &at(&folder.socket())]);
    let site = Plan { http, ..Plan::default() }.start();
    assert_eq!(site.client().fetch("/_seda/report").text(), "no such page\n");
    assert_eq!(site.client().fetch("/readyz").text(), "ready\n");
}

#[test]
fn a_stale_socket_is_replaced_and_one_that_a_server_has_is_not() {
    let folder = Folder::new("stale");
    let path = folder.socket();
    // A server that was killed has left its file.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let first = Http::bind(listening(&[&at(&path)])).unwrap();
    assert_eq!(first.local_addr(), SocketAddr::from(([0, 0, 0, 0], 0)));
    let error = Http::bind(listening(&["127.0.0.1:0", &at(&path)])).unwrap_err();
    assert!(matches!(&error, BindError::Unix { path: named, .. } if *named == path), "{error}");
    let text = error.to_string();
    assert!(text.contains(&at(&path)) && text.contains("in use"), "{text}");
    // The file of the first is still there, and goes with it.
    UnixStream::connect(&path).unwrap();
    drop(first);
    assert!(!path.exists());
    // Another file is no socket, and stays.
    fs::write(&path, "a page").unwrap();
    assert!(Http::bind(listening(&[&at(&path)])).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "a page");
}

#[test]
fn a_place_that_is_not_available_is_named_and_the_places_before_it_are_left() {
    let folder = Folder::new("refused");
    let path = folder.socket();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = server.local_addr().unwrap();
    let error = Http::bind(listening(&[&at(&path), &taken.to_string()])).unwrap_err().to_string();
    assert!(error.starts_with(&format!("`listen` = {taken} is in use: ")), "{error}");
    assert!(!path.exists());
    let long = folder.0.join("s".repeat(120));
    let error = Http::bind(listening(&[&at(&long)])).unwrap_err().to_string();
    assert!(error.contains(&at(&long)) && error.contains("a file of at most 107 bytes"), "{error}");
    let nowhere = folder.0.join("no/such/folder.sock");
    let error = Http::bind(listening(&[&at(&nowhere)])).unwrap_err().to_string();
    assert!(error.contains("No such file") && error.contains("this user may write"), "{error}");
    let error = Http::bind(listening(&["inherited:web"])).unwrap_err().to_string();
    assert!(error.starts_with("cannot listen on `listen` = inherited:web: the parent"), "{error}");
    let error = Http::bind(listening(&[])).unwrap_err().to_string();
    assert_eq!(error, "`listen` is a list of 0 listeners; allowed: 1 to 64");
}

/// An IPv6 socket for all addresses would take the port for IPv4, too.
#[test]
fn the_same_port_of_both_families_is_no_conflict() {
    let bound = (0..100).find_map(|_| {
        let free = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let http = listening(&[&format!("[::]:{free}"), &format!("0.0.0.0:{free}")]);
        match Http::bind(http.clone()) {
            // Another test has taken the port meanwhile.
            Err(BindError::InUse { .. }) => None,
            bound => Some((bound, http)),
        }
    });
    let (http, config) = bound.unwrap();
    let site = Plan { http: config, ..Plan::default() }.start_on(http.unwrap());
    let port = site.address().port();
    for host in ["127.0.0.1", "::1"] {
        let mut client = Client::connect(SocketAddr::new(host.parse().unwrap(), port));
        assert_eq!(client.fetch("/client").text(), host);
    }
    // Alone it accepts both.
    let site = Plan { http: listening(&["[::]:0"]), ..Plan::default() }.start();
    let mut client = Client::connect(([127, 0, 0, 1], site.address().port()).into());
    assert_eq!(client.fetch("/client").text(), "127.0.0.1");
}

#[test]
fn a_socket_of_the_program_that_does_not_listen_is_named_by_its_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let file = fs::File::open("/dev/null").unwrap();
    let unfit: [(OwnedFd, &str); 5] = [
        (connected.into(), "it is a socket that does not listen"),
        (bound.into(), "it is a socket that does not listen"),
        (UnixStream::pair().unwrap().0.into(), "it is a socket that does not listen"),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "it is a datagram socket"),
        (file.into(), "it is no socket"),
    ];
    for (socket, fault) in unfit {
        let listener = OwnedFd::from(listener.try_clone().unwrap());
        let error = Http::bind_on(HttpConfig::default(), [listener, socket]).unwrap_err();
        let begin = format!("cannot listen on socket 1 of the program: {fault}");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
}

#[test]
fn settings_of_one_of_several_listeners_are_not_those_of_the_sockets_of_the_program() {
    let bind = |config| Http::bind_on(config, [TcpListener::bind("127.0.0.1:0").unwrap()]);
    drop(bind(listening(&["80", "81"])).unwrap());
    let mut proxied: ListenerConfig = "81".parse().unwrap();
    proxied.proxy_protocol = Some(PeerList::new(["unix:"]).unwrap());
    let mut config = HttpConfig::default();
    config.listen = ["80".parse().unwrap(), proxied].into_iter().collect();
    assert_eq!(
        bind(config).unwrap_err().to_string(),
        "`listen` is a list of 2 listeners, with settings for 127.0.0.1:81 alone; allowed: one \
         listener; its settings hold for all sockets of the program"
    );
}

#[test]
fn a_server_has_at_least_one_socket_of_the_program_and_at_most_64() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = |count| {
        let sockets = (0..count).map(|_| listener.try_clone().unwrap());
        Http::bind_on(HttpConfig::default(), sockets)
    };
    for count in [0, 65] {
        let error = bind(count).unwrap_err().to_string();
        assert_eq!(error, format!("`listen` is {count} sockets; allowed: 1 to 64"));
    }
    assert_eq!(bind(64).unwrap().local_addrs().len(), 64);
}

#[test]
fn sockets_of_the_program_are_served_and_their_files_are_left_to_it() {
    let folder = Folder::new("given");
    let path = folder.socket();
    let unix = UnixListener::bind(&path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let sockets = [OwnedFd::from(unix), OwnedFd::from(tcp)];
    let site = Plan::default().start_on(Http::bind_on(HttpConfig::default(), sockets).unwrap());
    assert!(ask_unix(&path, ASK_CLIENT).ends_with("unknown"));
    assert_eq!(site.client().fetch("/client").text(), "127.0.0.1");
    drop(site);
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
}
