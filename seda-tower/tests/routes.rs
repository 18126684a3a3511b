//! The names of routes, in an app of axum.

use crate::scripted::run;
use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::routing::get;
use http::Request;
use parking_lot::Mutex;
use seda_tower::Admission;
use std::sync::Arc;
use tower::ServiceExt;

#[test]
fn a_name_may_be_the_route_that_axum_has_matched() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&seen);
    let admission = Admission::new().routes(move |head| {
        let name = head.extensions.get::<MatchedPath>()?.as_str();
        names.lock().push(name.to_owned());
        Some(name)
    });
    let app = Router::new().route("/users/{id}", get(|| async { "a user" }));
    let app: Router = app.layer(admission.clone());
    for (path, status) in [("/users/1", 200), ("/users/2", 200), ("/nowhere", 404)] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(run(app.clone().oneshot(request)).unwrap().status(), status);
    }
    assert_eq!(*seen.lock(), ["/users/{id}"; 2]);
    assert_eq!(admission.report().unwrap().requests.answered, 3);
}
