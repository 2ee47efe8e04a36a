//! A web server of one page, to point clients at.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Answers every request with what `page` makes of it: a status line's end and a body.
pub struct Page {
    pub base_url: String,
    /// Requests in full, as they came over the wire.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Page {
    pub async fn serve(page: impl Fn(usize) -> (&'static str, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut wire, _)) = listener.accept().await {
                let request = read_request(&mut wire).await;
                let number = {
                    let mut log = log.lock().expect("nobody panics holding it");
                    log.push(request);
                    log.len()
                };
                let (status, body) = page(number);
                let head = format!("HTTP/1.1 {status}\r\nx-page: {number}\r\nconnection: close\r\n");
                let reply = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                wire.write_all(reply.as_bytes()).await.ok();
            }
        });
        Self { base_url, seen }
    }

    pub fn last(&self) -> String {
        self.seen
            .lock()
            .expect("nobody panics holding it")
            .last()
            .cloned()
            .unwrap_or_default()
    }
}

async fn read_request(wire: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut piece = [0; 4096];
        let length = wire.read(&mut piece).await.unwrap_or_default();
        text += &String::from_utf8_lossy(&piece[..length]);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|it| it.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0)
        });
        if whole || length == 0 {
            return text;
        }
    }
}
