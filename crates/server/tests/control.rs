//! The control socket: who gets in, and what a command line without a server sees.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::os::unix::fs::PermissionsExt as _;

use house::start_on;
use http::{Method, StatusCode};
use server::accept::{Limits, ListenerKind, Shutdown};
use server::control::{self, Client};
use server::routes::health::{self, Condition};
use server::routes::{Control, Router};

fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

fn router(uid: u32) -> server::routes::ControlRouter {
    Router::new(Control { uid }).with(health::routes(&Condition::starting(Shutdown::default())))
}

async fn call(folder: &std::path::Path, method: Method, path: &'static str) -> control::Reply {
    let client = Client::connect(folder).unwrap().unwrap();
    tokio::task::spawn_blocking(move || client.call(&method, path, b"{}").unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_same_user_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Client::connect(folder.path()).unwrap().is_none());
    let limits = Limits::of(ListenerKind::Control);
    let mut server = start_on(&[control::bind(folder.path())], router(own_uid()), limits);

    let mode = std::fs::metadata(folder.path().join(control::SOCKET_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let reply = call(folder.path(), Method::GET, "/health/live").await;
    assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::OK, &b"live"[..]));
    assert_eq!(call(folder.path(), Method::GET, "/secrets").await.status, StatusCode::NOT_FOUND);
    assert_eq!(call(folder.path(), Method::POST, "/health/live").await.status, StatusCode::METHOD_NOT_ALLOWED);

    server.stop().await;
    assert!(Client::connect(folder.path()).unwrap().is_none(), "the file is left, the server is not");
}

#[tokio::test]
async fn another_user_is_refused_even_inside() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::of(ListenerKind::Control);
    let _server = start_on(&[control::bind(folder.path())], router(own_uid() + 1), limits);
    assert_eq!(call(folder.path(), Method::GET, "/health/live").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_second_server_does_not_take_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::of(ListenerKind::Control);
    let _first = start_on(&[control::bind(folder.path())], router(own_uid()), limits);
    let second = server::accept::Listener::bind(&[control::bind(folder.path())]).unwrap_err().to_string();
    assert!(second.ends_with("another process listens there"), "{second}");
    std::fs::remove_file(folder.path().join(control::SOCKET_FILE)).unwrap();
    std::fs::write(folder.path().join(control::SOCKET_FILE), "no socket").unwrap();
    assert!(server::accept::Listener::bind(&[control::bind(folder.path())]).is_err());
}
