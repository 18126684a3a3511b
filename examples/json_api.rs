//! A JSON API of three routes: a typed path parameter, a query, JSON in and out, errors.
//!
//! Type: `cargo run --example json_api`, and in another terminal
//!       `curl -i --json '{"name": "Ada"}' http://127.0.0.1:8080/users`
//!       `curl -i http://127.0.0.1:8080/users/1`
//!       `curl -i 'http://127.0.0.1:8080/users?limit=10'`
//! See:  201 with the new user, the user, the list of users. The table of routes answers 404 to
//!       `/nowhere`, 400 to `/users/one`, and 405 with Allow to `curl -i -X DELETE …/users`;
//!       `call.json` answers 415, 400 and 422 to other bodies.
//!
//! `cargo test --example json_api` tests the routes without a socket.

use parking_lot::Mutex;
use seda::http::{Answer, Endpoint, Http, HttpConfig, HttpRequest, Routes, StatusCode, json};
use seda::{Graph, GraphError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

type Users = Arc<Mutex<BTreeMap<u64, User>>>;

#[derive(Clone, Serialize)]
struct User {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    from: u64,
    limit: usize,
}

fn list(users: &Users, call: &HttpRequest<Page>) -> Answer {
    let users = users.lock();
    let page = users.range(call.params.from..).take(call.params.limit);
    Ok(json(StatusCode::OK, &page.map(|(_, user)| user).collect::<Vec<_>>()))
}

fn show(users: &Users, call: &HttpRequest<u64>) -> Answer {
    let user = users.lock().get(&call.params).cloned().ok_or(StatusCode::NOT_FOUND)?;
    Ok(json(StatusCode::OK, &user))
}

fn create(users: &Users, call: &HttpRequest) -> Answer {
    let NewUser { name } = call.json()?;
    let mut users = users.lock();
    let user = User { id: users.len() as u64 + 1, name };
    users.insert(user.id, user.clone());
    Ok(json(StatusCode::CREATED, &user))
}

fn api(graph: &mut Graph) -> Result<Routes, GraphError> {
    let users = Users::default();
    Ok(Routes::new()
        .get("/users", Endpoint::answering(graph, "list", &users, list)?)
        .post("/users", Endpoint::answering(graph, "create", &users, create)?)
        .get("/users/{id}", Endpoint::answering(graph, "show", &users, show)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new("json_api");
    let mut http = Http::bind(HttpConfig::default())?;
    let routes = api(&mut graph)?;
    http.routes(&mut graph, routes)?;
    let server = http.serve(graph.start()?)?;
    println!("http://{} (Enter drains the server)", server.local_addr());
    std::io::stdin().read_line(&mut String::new())?;
    println!("{}", server.drain(Duration::from_secs(5)).report);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda::http::{Request, SteppedServer};

    fn server() -> SteppedServer {
        let mut graph = Graph::new("test");
        let routes = api(&mut graph).unwrap();
        SteppedServer::start(graph, routes).unwrap()
    }

    #[test]
    fn a_created_user_is_shown_and_listed() {
        let mut server = server();
        let create = Request::post("/users").header("content-type", "application/json");
        let created = server.ask(create.body(r#"{"name":"Ada"}"#).unwrap());
        assert_eq!(created.status(), StatusCode::CREATED);
        assert_eq!(created.body(), ADA);
        assert_eq!(server.get("/users/1").body(), ADA);
        assert_eq!(server.get("/users?limit=9").body(), &format!("[{ADA}]"));
    }

    const ADA: &str = r#"{"id":1,"name":"Ada"}"#;

    #[test]
    fn what_does_not_fit_is_answered_by_the_table_or_by_the_extraction() {
        let mut server = server();
        for (target, status) in
            [("/users/1", 404), ("/users/one", 400), ("/users", 400), ("/nowhere", 404)]
        {
            assert_eq!(server.get(target).status(), status, "{target}");
        }
        let post = |content_type: &str, body: &'static str| {
            Request::post("/users").header("content-type", content_type).body(body).unwrap()
        };
        for (kind, body, status) in [
            ("text/plain", r#"{"name":"Ada"}"#, 415),
            ("application/json", r#"{"name":"#, 400),
            ("application/json", r#"{"name":1}"#, 422),
        ] {
            assert_eq!(server.ask(post(kind, body)).status(), status, "{body}");
        }
    }
}
