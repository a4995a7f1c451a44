//! The transport over `reqwest`, against sockets of this machine.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]
#![cfg(feature = "reqwest")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scimwright_client::{Client, Error, Reqwest, Retry, Transport, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that reads one request and writes these bytes, for as many connections as there are.
async fn server(answers: Vec<Vec<u8>>) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut bytes = [0; 4096];
                match socket.read(&mut bytes).await.unwrap() {
                    0 => break,
                    count => request.extend_from_slice(&bytes[..count]),
                }
            }
            requests.push(String::from_utf8(request).unwrap());
            // Who was told enough may be gone already.
            let _ = socket.write_all(&answer).await;
        }
        requests
    });
    (address, serving)
}

/// Whether a request is there with its body, whose length it says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    body.len() >= length.unwrap_or_default()
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

/// Without what the environment says of proxies: none leads to this machine.
fn transport() -> Reqwest {
    Reqwest::of(reqwest::Client::builder().no_proxy()).unwrap()
}

fn get(address: SocketAddr) -> Request<Bytes> {
    Request::get(format!("http://{address}/v2/Users/42")).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_request_goes_out_whole_and_its_answer_comes_back_whole() {
    let (address, serving) = server(vec![answer("409 Conflict", "etag: W/\"7\"\r\n", "{\"a\":1}")]).await;
    let request = Request::post(format!("http://{address}/v2/Users?attributes=id")).header("x-key", "value");
    let response = transport().send(request.body(Bytes::from_static(b"{\"b\":2}")).unwrap(), 100).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["etag"]), (409, &"W/\"7\"".parse().unwrap()));
    assert_eq!(response.body().as_ref(), b"{\"a\":1}");
    let request = serving.await.unwrap().remove(0);
    assert!(request.starts_with("POST /v2/Users?attributes=id HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-key: value\r\n") && request.ends_with("\r\n\r\n{\"b\":2}"), "{request}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = transport().send(get(address), 100).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::NotSent);
    let error: &dyn std::error::Error = &error;
    assert!(!format!("{:?}", error.source()).contains("Users"), "what is asked for is not told");
}

#[tokio::test]
async fn a_connection_that_ends_early_may_have_been_heard() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec();
    for bytes in [Vec::new(), b"HTTP/1.1 20".to_vec(), cut] {
        let (address, _serving) = server(vec![bytes]).await;
        let error = transport().send(get(address), 1000).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Broken);
    }
}

#[tokio::test]
async fn no_more_is_read_than_is_allowed() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    let endless = format!("{chunked}{}{}", chunk(60), chunk(60)).into_bytes();
    for bytes in [answer("200 OK", "", &"x".repeat(101)), endless] {
        let (address, _serving) = server(vec![bytes]).await;
        assert_eq!(transport().send(get(address), 100).await.unwrap_err().kind(), TransportErrorKind::TooLarge);
    }
    let (address, _serving) = server(vec![answer("200 OK", "", &"x".repeat(100))]).await;
    assert_eq!(transport().send(get(address), 100).await.unwrap().body().len(), 100);
}

#[tokio::test]
async fn an_error_page_that_is_too_long_is_cut() {
    let page = "x".repeat(101);
    let chunked = "HTTP/1.1 502 Bad Gateway\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let endless = format!("{chunked}65\r\n{page}\r\n65\r\n{page}\r\n").into_bytes();
    for bytes in [answer("502 Bad Gateway", "", &page), endless] {
        let (address, _serving) = server(vec![bytes]).await;
        let response = transport().send(get(address), 100).await.unwrap();
        assert_eq!((response.status().as_u16(), response.body().len()), (502, 100));
    }
    let (address, _serving) = server(vec![answer("502 Bad Gateway", "", &page)]).await;
    assert_eq!(transport().send(get(address), 200).await.unwrap().body().len(), 101);
}

#[tokio::test]
async fn redirects_are_left_to_the_client() {
    let (address, _serving) = server(vec![answer("302 Found", "location: /elsewhere\r\n", "")]).await;
    assert_eq!(transport().send(get(address), 100).await.unwrap().status().as_u16(), 302);
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_broken_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(50));
    // The system takes the connection, nobody answers on it.
    let error = Reqwest::of(builder).unwrap().send(get(address), 100).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Broken);
    drop(listener);
}

/// Runs in a process of its own, where the environment names a proxy.
#[tokio::test]
#[ignore = "the test below runs it"]
async fn child_that_asks_this_machine() {
    let (address, serving) = server(vec![answer("200 OK", "", r#"{"id": "42", "userName": "ada"}"#)]).await;
    let client = Client::new(&format!("http://{address}/v2"), "secret").unwrap();
    assert_eq!(client.users().get("42").await.unwrap().resource.id, "42");
    assert!(serving.await.unwrap()[0].starts_with("GET /v2/Users/42 "));
}

#[tokio::test]
async fn a_server_on_this_machine_is_asked_without_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "--ignored", "child_that_asks_this_machine"]).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy);
    }
    let ran = child.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_builder_without_a_timeout_has_one_nevertheless() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody answers; the builder would wait for ever.
    let error = transport().timeout(Duration::from_millis(50)).send(get(address), 100).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Broken);
    drop(listener);
}

#[tokio::test]
async fn the_client_that_is_ready_to_use_tries_again_by_tokios_clock() {
    let good = r#"{"id": "42", "userName": "ada"}"#;
    let (address, serving) =
        server(vec![answer("429 Too Many Requests", "retry-after: 0\r\n", ""), answer("200 OK", "", good)]).await;
    let client = Client::builder(&format!("http://{address}/v2")).bearer("secret");
    let quick = Retry::default().waiting(Duration::from_millis(1), Duration::from_millis(1));
    // The transport brings the clock.
    let client = client.retry(quick).build_over(transport()).unwrap();
    let ada = client.users().create(&serde_json::json!({"userName": "ada"})).await.unwrap();
    assert_eq!(ada.resource.id, "42");
    let requests = serving.await.unwrap();
    assert_eq!(requests[0], requests[1]);
    assert!(requests[0].contains("authorization: Bearer secret\r\n"), "{}", requests[0]);

    // As `build` makes it, where nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::builder(&format!("https://{nobody}/v2")).retry(Retry::never()).build().unwrap();
    let error = client.users().get("42").await.unwrap_err();
    assert!(matches!(&error, Error::Transport(error) if error.kind() == TransportErrorKind::NotSent), "{error:?}");
}
