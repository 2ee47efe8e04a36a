//! The bad network behaves like one: resets, silence and latency, and recovery from each.

use std::{io::ErrorKind, time::Duration};

use mizan_testkit::FaultProxy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

const SILENCE: Duration = Duration::from_millis(150);
const LIMIT: Duration = Duration::from_secs(20);

/// A server that sends back what it gets, and a proxy before it.
async fn echo() -> FaultProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut wire, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = wire.split();
                tokio::io::copy(&mut from, &mut to).await.ok();
                to.shutdown().await.ok();
            });
        }
    });
    FaultProxy::start(port).await.expect("a port")
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port()))
        .await
        .expect("the proxy always accepts")
}

async fn exchange(wire: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    wire.write_all(text).await?;
    receive(wire, text.len()).await
}

async fn receive(wire: &mut TcpStream, length: usize) -> std::io::Result<Vec<u8>> {
    let mut back = vec![0; length];
    timeout(LIMIT, wire.read_exact(&mut back))
        .await
        .expect("an answer or an end")
        .map(|_| back)
}

async fn is_silent(wire: &mut TcpStream) -> bool {
    timeout(SILENCE, wire.read_u8()).await.is_err()
}

#[tokio::test]
async fn it_forwards_both_ways_and_passes_the_end_on() {
    let proxy = echo().await;
    let mut wire = connect(&proxy).await;
    assert_eq!(exchange(&mut wire, b"ping").await.expect("an echo"), b"ping");
    wire.write_all(b"last").await.expect("an open wire");
    wire.shutdown().await.expect("an open wire");
    let mut rest = Vec::new();
    timeout(LIMIT, wire.read_to_end(&mut rest))
        .await
        .expect("an end")
        .expect("an orderly end");
    assert_eq!(rest, b"last");
}

#[tokio::test]
async fn a_cut_resets_open_connections_and_new_ones_until_healed() {
    let proxy = echo().await;
    let mut before = connect(&proxy).await;
    exchange(&mut before, b"ping").await.expect("an echo");
    proxy.cut();
    let error = receive(&mut before, 1).await.expect_err("the wire is cut");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut during = connect(&proxy).await;
    exchange(&mut during, b"ping")
        .await
        .expect_err("new wires are cut too");
    proxy.heal();
    assert_eq!(
        exchange(&mut connect(&proxy).await, b"ping")
            .await
            .expect("an echo"),
        b"ping"
    );
}

#[tokio::test]
async fn a_cut_that_heals_at_once_still_resets_what_was_open() {
    let proxy = echo().await;
    let mut before = connect(&proxy).await;
    exchange(&mut before, b"ping").await.expect("an echo");
    proxy.cut();
    proxy.heal();
    receive(&mut before, 1).await.expect_err("the wire was cut");
}

#[tokio::test]
async fn a_black_hole_keeps_connections_open_and_silent_and_delivers_when_healed() {
    let proxy = echo().await;
    let mut before = connect(&proxy).await;
    exchange(&mut before, b"ping").await.expect("an echo");
    proxy.black_hole();
    let mut during = connect(&proxy).await;
    for wire in [&mut before, &mut during] {
        wire.write_all(b"held").await.expect("the kernel takes it");
        assert!(is_silent(wire).await);
    }
    proxy.heal();
    for wire in [&mut before, &mut during] {
        assert_eq!(receive(wire, 4).await.expect("what was held"), b"held");
    }
}

#[tokio::test]
async fn a_cut_during_a_black_hole_reaches_what_hangs_in_it() {
    let proxy = echo().await;
    proxy.black_hole();
    let mut wire = connect(&proxy).await;
    assert!(is_silent(&mut wire).await);
    proxy.cut();
    receive(&mut wire, 1).await.expect_err("the wire is cut");
}

#[tokio::test]
async fn a_delay_holds_each_direction() {
    let proxy = echo().await;
    let mut wire = connect(&proxy).await;
    exchange(&mut wire, b"ping").await.expect("an echo");
    proxy.delay(Duration::from_millis(100));
    let begin = Instant::now();
    exchange(&mut wire, b"slow").await.expect("an echo");
    assert!(
        begin.elapsed() >= Duration::from_millis(200),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn dropping_it_ends_its_connections() {
    let proxy = echo().await;
    let mut wire = connect(&proxy).await;
    exchange(&mut wire, b"ping").await.expect("an echo");
    drop(proxy);
    receive(&mut wire, 1).await.expect_err("nobody forwards any more");
}
