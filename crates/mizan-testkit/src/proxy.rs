//! A TCP forwarder that can play a bad network: cut wires, silence, latency.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

/// Forwards connections on a port of 127.0.0.1. Dropping it resets all of them.
pub struct FaultProxy {
    port: u16,
    weather: watch::Sender<Weather>,
}

#[derive(Debug, Clone, Copy)]
struct Weather {
    wire: Wire,
    delay: Duration,
    /// How often the wires were cut. A connection older than the last cut is dead even if all is well again.
    cuts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Open,
    Held,
    Refused,
}

/// The connection has been cut, or the proxy is gone.
struct Dead;

impl From<io::Error> for Dead {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl FaultProxy {
    /// Starts forwarding to a port of 127.0.0.1.
    pub async fn start(upstream: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (weather, _) = watch::channel(Weather {
            wire: Wire::Open,
            delay: Duration::ZERO,
            cuts: 0,
        });
        tokio::spawn(accept(
            listener,
            (Ipv4Addr::LOCALHOST, upstream).into(),
            weather.subscribe(),
        ));
        Ok(Self { port, weather })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection, now and from now on.
    pub fn cut(&self) {
        self.weather
            .send_modify(|it| (it.wire, it.cuts) = (Wire::Refused, it.cuts + 1));
    }

    /// Accepts connections, keeps open ones open, and forwards nothing in either direction.
    pub fn black_hole(&self) {
        self.weather.send_modify(|it| it.wire = Wire::Held);
    }

    /// Forwards again. What a black hole held is delivered, as a network that recovers would.
    pub fn heal(&self) {
        self.weather
            .send_modify(|it| (it.wire, it.delay) = (Wire::Open, Duration::ZERO));
    }

    /// Holds each piece of data for `delay`, in each direction, until [`Self::heal`].
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|it| it.delay = delay);
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let gone = weather.clone();
    let gone = closed(gone);
    tokio::pin!(gone);
    loop {
        let inbound = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut gone => return,
        };
        if let Ok((inbound, _)) = inbound {
            let seen = *weather.borrow_and_update();
            tokio::spawn(carry(inbound, upstream, weather.clone(), seen.cuts));
        }
    }
}

async fn closed(mut weather: watch::Receiver<Weather>) {
    while weather.changed().await.is_ok() {}
}

async fn carry(mut inbound: TcpStream, upstream: SocketAddr, weather: watch::Receiver<Weather>, cuts: u64) {
    let carried = tokio::select! {
        carried = both_ways(&mut inbound, upstream, weather.clone(), cuts) => carried,
        () = severed(weather, cuts) => Err(Dead),
    };
    if carried.is_err() {
        // Closing with zero linger sends a reset, which is what a cut looks like to a client. When
        // even that fails the socket is closed, which is as dead.
        inbound.set_zero_linger().ok();
    }
}

async fn both_ways(
    inbound: &mut TcpStream,
    upstream: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    cuts: u64,
) -> Result<(), Dead> {
    open(&mut weather, cuts).await?;
    let mut outbound = TcpStream::connect(upstream).await?;
    inbound.set_nodelay(true)?;
    outbound.set_nodelay(true)?;
    let (from_client, to_client) = inbound.split();
    let (from_server, to_server) = outbound.split();
    let up = pump(from_client, to_server, weather.clone(), cuts);
    let down = pump(from_server, to_client, weather, cuts);
    tokio::try_join!(up, down).map(drop)
}

/// Forwards one direction until its end, which it passes on.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    cuts: u64,
) -> Result<(), Dead> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        open(&mut weather, cuts).await?;
        let length = from.read(&mut piece).await?;
        let delay = weather.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        open(&mut weather, cuts).await?; // the hole may have opened while we were reading
        if length == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// Waits until the wire forwards; tells when it has been cut instead.
async fn open(weather: &mut watch::Receiver<Weather>, cuts: u64) -> Result<(), Dead> {
    let decided = weather
        .wait_for(|it| it.wire != Wire::Held || it.cuts != cuts)
        .await
        .map_err(|_| Dead)?;
    if decided.wire == Wire::Open && decided.cuts == cuts {
        Ok(())
    } else {
        Err(Dead)
    }
}

/// Returns once the connection must not live any longer.
async fn severed(mut weather: watch::Receiver<Weather>, cuts: u64) {
    weather
        .wait_for(|it| it.wire == Wire::Refused || it.cuts != cuts)
        .await
        .ok();
}
