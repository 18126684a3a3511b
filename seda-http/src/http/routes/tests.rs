//! The table with its stages, stepped: what reaches a handler, and what the table answers itself.

use super::{Endpoint, Routes, RoutesError};
use crate::http::request::HttpRequest;
use crate::http::responses::{Answer, json, text};
use crate::http::stepped::SteppedServer;
use crate::http::{Http, HttpConfig};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use seda_core::{Graph, Stage};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Returns a server with one route, which answers with its parameters as JSON.
fn echo<P>(path: &str) -> SteppedServer
where
    P: DeserializeOwned + Serialize + Send + Sync + 'static,
{
    let mut graph = Graph::new("echo");
    let endpoint = Endpoint::answering(&mut graph, "echo", &(), |(), call: &HttpRequest<P>| {
        Ok(json(StatusCode::OK, &call.params))
    });
    SteppedServer::start(graph, Routes::new().get(path, endpoint.unwrap())).unwrap()
}

fn body(response: &Response<Bytes>) -> (u16, &str) {
    (response.status().as_u16(), std::str::from_utf8(response.body()).unwrap())
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: u64,
    #[serde(default)]
    tag: Vec<String>,
    kind: Option<Kind>,
    #[serde(default)]
    deep: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Big,
    Small,
}

#[derive(Serialize, Deserialize)]
struct Id(u64);

#[test]
fn a_struct_has_the_parameters_of_the_path_and_of_the_query_by_name() {
    let mut server = echo::<Item>("/items/{id}");
    let expected = r#"{"id":7,"tag":[],"kind":null,"deep":false}"#;
    assert_eq!(body(&server.get("/items/7")), (200, expected));
    let expected = r#"{"id":7,"tag":["a b","c&d"],"kind":"small","deep":true}"#;
    let target = "/items/7?tag=a+b&deep=true&other=1&tag=c%26d&kind=small";
    assert_eq!(body(&server.get(target)), (200, expected));
}

#[test]
fn a_parameter_that_does_not_fit_is_named_with_its_fault() {
    let mut server = echo::<Item>("/items/{id}");
    for (target, fault) in [
        ("/items/seven", "parameter `id`: the value is no u64\n"),
        ("/items/-1", "parameter `id`: the value is no u64\n"),
        ("/items/%ff", "parameter `id`: the decoded bytes are not UTF-8\n"),
        ("/items/7?deep=yes", "parameter `deep`: the value is no bool\n"),
        (
            "/items/7?kind=huge",
            "parameter `kind`: unknown variant `huge`, expected `big` or `small`\n",
        ),
        // The query cannot override the path, and no scalar is given twice.
        ("/items/7?id=8", "duplicate field `id`\n"),
        ("/items/7?deep=true&deep=false", "duplicate field `deep`\n"),
    ] {
        assert_eq!(body(&server.get(target)), (400, fault), "{target}");
    }
    let long = format!("/items/7?kind={}", "x".repeat(1_000));
    assert!(
        server.get(&long).body().len() < 250,
        "a client's own bytes do not come back at length"
    );
}

#[test]
fn a_query_neither_overrides_the_path_in_a_map_nor_has_any_number_of_parameters() {
    let mut server = echo::<std::collections::BTreeMap<String, String>>("/{id}");
    assert_eq!(body(&server.get("/7?a=1")), (200, r#"{"a":"1","id":"7"}"#));
    assert_eq!(body(&server.get("/7?id=8")), (400, "duplicate field `id`\n"));
    let most: Vec<String> = (0..256).map(|n| format!("n{n}=1")).collect();
    assert_eq!(server.get(&format!("/7?{}", most.join("&"))).status(), 200);
    let more = format!("/7?{}&more=1", most.join("&"));
    assert_eq!(body(&server.get(&more)), (400, "the query has more than 256 parameters\n"));
}

#[test]
fn a_value_a_tuple_and_a_map_have_the_parameters_of_the_path() {
    assert_eq!(body(&echo::<u64>("/{id}").get("/7")), (200, "7"));
    assert_eq!(body(&echo::<Id>("/{id}").get("/7")), (200, "7"));
    assert_eq!(body(&echo::<Kind>("/{kind}").get("/big")), (200, "\"big\""));
    assert_eq!(body(&echo::<()>("/{a}/{b}").get("/1/2")), (200, "null"));
    let mut pair = echo::<(String, u8)>("/{name}/x-{n}.json");
    assert_eq!(body(&pair.get("/a%2Fb+c/x-7.json")), (200, r#"["a/b+c",7]"#));
    assert_eq!(body(&pair.get("/a/x-256.json")), (400, "parameter `n`: the value is no u8\n"));
    let fault = "parameter `id`: the value is no u64\n";
    assert_eq!(body(&echo::<Id>("/{id}").get("/x")), (400, fault));
    let mut map = echo::<BTreeMap<String, String>>("/{name}/{*rest}");
    let expected = r#"{"name":"caf\u00e9","q":"1","rest":"b/c"}"#.replace("\\u00e9", "é");
    assert_eq!(body(&map.get("/caf%C3%A9/b/c?q=1")), (200, expected.as_str()));
}

#[test]
fn a_panic_in_user_code_before_admission_is_a_500() {
    let mut graph = Graph::new("panics");
    let page = Endpoint::answering(&mut graph, "page", &(), |(), _call: &HttpRequest<u64>| {
        Ok(text(StatusCode::OK, "page\n"))
    });
    let page = page.unwrap().cost(|n| u32::try_from(*n).unwrap());
    let mut server = SteppedServer::start(graph, Routes::new().get("/{n}", page)).unwrap();
    assert_eq!(server.get("/7").status(), 200);
    assert_eq!(server.get("/99999999999").status(), 500);
    server.graph().assert_finished();
}

fn posted(kind: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/").header("content-type", kind).body(body.into()).unwrap()
}

#[test]
fn a_body_that_does_not_fit_is_answered_by_its_extraction() {
    fn sum((): &(), call: &HttpRequest) -> Answer {
        let terms: BTreeMap<String, Vec<u64>> = call.json()?;
        Ok(json(StatusCode::OK, &terms.values().flatten().sum::<u64>()))
    }
    let mut graph = Graph::new("sums");
    let sum = Endpoint::answering(&mut graph, "sum", &(), sum).unwrap();
    let mut server = SteppedServer::start(graph, Routes::new().post("/", sum)).unwrap();
    let mut ask = |kind: &str, sent: &str| {
        let response = server.ask(posted(kind, sent.to_owned()));
        let (status, text) = body(&response);
        (status, text.to_owned())
    };
    let of = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(ask("application/json; charset=utf-8", r#"{"a":[1,2]}"#), of(200, "3"));
    let expected = "the Content-Type is not application/json\n";
    assert_eq!(ask("text/plain", "{}"), of(415, expected));
    let expected = "the body is not JSON: EOF while parsing an object at line 1 column 1\n";
    assert_eq!(ask("application/json", "{"), of(400, expected));
    let expected = "the body is not JSON: trailing characters at line 1 column 4\n";
    assert_eq!(ask("application/json", "{} {}"), of(400, expected));
    let expected = "the body does not fit: a[1]: invalid type: string \"2\", expected u64 at line 1 \
                    column 12\n";
    assert_eq!(ask("application/json", r#"{"a": [1,"2"]}"#), of(422, expected));
    let deep = format!("{{\"a\":{}", "[".repeat(200_000));
    let (status, text) = ask("application/json", &deep);
    assert!(matches!(status, 400 | 422) && text.len() < 250, "{status} {text}");
}

#[test]
fn the_depth_of_a_json_body_is_bounded() {
    fn depth((): &(), call: &HttpRequest) -> Answer {
        let _: serde_json::Value = call.json()?;
        Ok(text(StatusCode::OK, "read\n"))
    }
    let mut graph = Graph::new("depth");
    let depth = Endpoint::answering(&mut graph, "depth", &(), depth).unwrap();
    let mut server = SteppedServer::start(graph, Routes::new().post("/", depth)).unwrap();
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(server.ask(posted("application/json", nested(127))).status(), 200);
    let response = server.ask(posted("application/json", nested(100_000)));
    let expected = "the body is not JSON: recursion limit exceeded at line 1 column 128\n";
    assert_eq!(body(&response), (400, expected));
}

#[test]
fn a_stepped_server_has_the_limits_and_the_methods_of_its_routes() {
    let mut graph = Graph::new("limits");
    let mut length = |name: &str| {
        Endpoint::answering(&mut graph, name, &(), |(), call: &HttpRequest| {
            Ok(json(StatusCode::OK, &call.request.body().len()))
        })
        .unwrap()
    };
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let routes = Routes::new()
        .post("/long", length("long").body_bytes(3 << 20))
        .post("/short", length("short").body_bytes(3))
        .on(purge.clone(), "/", length("purge"));
    let mut server = SteppedServer::start(graph, routes).unwrap();
    let mut post = |path: &str, length: usize| {
        let response = server.ask(Request::post(path).body(vec![b'x'; length]).unwrap());
        (response.status().as_u16(), response.body().to_vec())
    };
    assert_eq!(post("/long", 2 << 20), (200, b"2097152".to_vec()));
    assert_eq!(post("/short", 3), (200, b"3".to_vec()));
    assert_eq!(post("/short", 4).0, 413);
    let chunked = Request::post("/short").header("transfer-encoding", "chunked");
    let chunked = chunked.body("4\r\nxxxx\r\n0\r\n\r\n").unwrap();
    assert_eq!(server.ask(chunked).status(), 413);
    let purge = Request::builder().method(purge).uri("/").body("").unwrap();
    assert_eq!(server.ask(purge).body(), "0");
}

#[test]
fn forms_and_queries_are_read_by_name() {
    #[derive(Serialize, Deserialize)]
    struct Search {
        q: String,
        #[serde(default)]
        n: Vec<u8>,
    }
    fn form((): &(), call: &HttpRequest) -> Answer {
        Ok(json(StatusCode::OK, &call.form::<Search>()?))
    }
    fn query((): &(), call: &HttpRequest) -> Answer {
        Ok(json(StatusCode::OK, &call.query::<Search>()?))
    }
    let mut graph = Graph::new("search");
    let form = Endpoint::answering(&mut graph, "form", &(), form).unwrap();
    let query = Endpoint::answering(&mut graph, "query", &(), query).unwrap();
    let routes = Routes::new().post("/", form).get("/", query);
    let mut server = SteppedServer::start(graph, routes).unwrap();
    let expected = r#"{"q":"a b","n":[1,2]}"#;
    const FORM: &str = "application/x-www-form-urlencoded";
    assert_eq!(body(&server.ask(posted(FORM, "q=a+b&n=1&n=2"))), (200, expected));
    assert_eq!(body(&server.get("/?q=a%20b&n=1&n=2")), (200, expected));
    let expected = "the body does not fit: missing field `q`\n";
    assert_eq!(body(&server.ask(posted(FORM, "n=1"))), (422, expected));
    assert_eq!(server.ask(posted("text/plain", "q=1")).status(), 415);
    let response = server.get("/?q=a&n=x");
    let (status, fault) = body(&response);
    assert_eq!(status, 400);
    assert!(fault.starts_with("the query does not fit: n"), "{fault}");
}

/// Returns the error of a server with these routes.
fn error(routes: impl FnOnce(Stage<HttpRequest>, Stage<HttpRequest<Item>>) -> Routes) -> String {
    let mut graph = Graph::new("errors");
    let plain = graph.stage::<HttpRequest>("plain", 8);
    let item = graph.stage::<HttpRequest<Item>>("item", 8);
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let mut http = Http::bind(config).unwrap();
    http.routes(&mut graph, routes(plain, item)).unwrap_err().to_string()
}

#[test]
fn a_wrong_table_is_an_error_that_names_the_route_and_the_remedy() {
    assert!(error(|_, _| Routes::new()).contains("the table has no routes"));
    assert_eq!(
        error(|plain, _| Routes::new().get("users", plain)),
        "`users` is no path of a route: it does not begin with `/`"
    );
    assert_eq!(
        error(|_, item| Routes::new().get("/items/{item}", item)),
        "the path `/items/{item}` does not fit the parameters of its stage: it has `item`, the \
         fields are `id`, `tag`, `kind`, `deep`; give both the same parameters"
    );
    assert_eq!(
        error(|plain, _| Routes::new().post("/", Endpoint::new(plain).body_bytes(2 << 30))),
        "route `/`: `limits`: body_bytes = 2147483648 is out of range; allowed: 0 to 1073741824"
    );
    assert_eq!(
        error(|plain, _| Routes::new().post("/", Endpoint::new(plain).body_bytes(1 << 30))),
        "route `/`: `body.budget` is 268435456; allowed: 1073741824 to 1099511627776"
    );
    let day = Duration::from_secs(90_000);
    assert!(
        error(|plain, _| Routes::new().get("/", Endpoint::new(plain).deadline(day)))
            .starts_with("route `/`: `deadline` is 90000s; allowed: 1ms to ")
    );
    assert!(error(|plain, _| Routes::new().on(Method::CONNECT, "/", plain)).contains("no proxy"));
}

#[test]
fn a_server_has_one_table_of_stages_of_its_own_graph() {
    let mut graph = Graph::new("one");
    let page = graph.stage::<HttpRequest>("page", 8);
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let mut http = Http::bind(config.clone()).unwrap();
    http.routes(&mut graph, Routes::new().get("/", page)).unwrap();
    let twice = http.routes(&mut graph, Routes::new().get("/", page)).unwrap_err();
    assert_eq!(
        twice.to_string(),
        "requests enter at `page` already: a server has one entry, or one table of routes"
    );
    assert!(http.entry(&mut graph, page).is_err());
    let mut other = Graph::new("other");
    let own = other.stage::<HttpRequest>("own", 8);
    let mut http = Http::bind(config.clone()).unwrap();
    let foreign = http.routes(&mut other, Routes::new().get("/", page)).unwrap_err();
    assert!(matches!(foreign, RoutesError::Entry(_)), "{foreign}");
    let mut http = Http::bind(config).unwrap();
    let visits = Endpoint::new(own).visits([page.id()]);
    let foreign = http.routes(&mut other, Routes::new().get("/", visits)).unwrap_err();
    assert!(matches!(foreign, RoutesError::Entry(_)), "{foreign}");
}
