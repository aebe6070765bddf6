//! Servers that answer as told and keep what they saw, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `GET / HTTP/1.1`.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// How a stub answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        delay: Duration,
    },
    /// Raw bytes, then the end.
    Raw(Vec<u8>),
}

impl Answer {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::Response { status, headers: owned.collect(), body: body.into(), delay: Duration::ZERO }
    }
}

/// A server on loopback.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Mutex<Answer>>,
    task: JoinHandle<()>,
}

impl Stub {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let (log, script) = (seen.clone(), answer.clone());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, log.clone(), script.clone()));
            }
        });
        Self { address, seen, answer, task }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<Seen>>>, script: Arc<Mutex<Answer>>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer).await {
        let upgrade = seen.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
        let head_only = seen.line.starts_with("HEAD ");
        log.lock().unwrap().push(seen);
        if upgrade {
            let switched =
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                             Sec-WebSocket-Accept: x\r\nX-Backend: yes\r\n\r\nHELLO-WS";
            let _ = stream.write_all(switched).await;
            // What the client sends comes back.
            let (mut from, mut to) = stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
            return;
        }
        let answer = script.lock().unwrap().clone();
        match answer {
            Answer::Raw(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Answer::Response { status, headers, body, delay } => {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                let mut head = format!("HTTP/1.1 {status} X\r\n").into_bytes();
                for (name, value) in &headers {
                    head.extend_from_slice(name.as_bytes());
                    head.extend_from_slice(b": ");
                    head.extend_from_slice(value.as_bytes());
                    head.extend_from_slice(b"\r\n");
                }
                if !matches!(status, 204 | 304) {
                    head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
                }
                head.extend_from_slice(b"\r\n");
                if !head_only && !matches!(status, 204 | 304) {
                    head.extend_from_slice(&body);
                }
                if stream.write_all(&head).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}

/// Reads one request; its body without chunks.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let value = |wanted: &str| {
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let mut body = Vec::new();
    if value("transfer-encoding").is_some() {
        loop {
            let size = loop {
                if let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") {
                    let size = usize::from_str_radix(&String::from_utf8_lossy(&buffer[..end]), 16).ok()?;
                    buffer.drain(..end + 2);
                    break size;
                }
                more(stream, buffer).await?;
            };
            while buffer.len() < size + 2 {
                more(stream, buffer).await?;
            }
            body.extend(buffer.drain(..size + 2).take(size));
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = value("content-length") {
        let length = length.parse().ok()?;
        while buffer.len() < length {
            more(stream, buffer).await?;
        }
        body.extend(buffer.drain(..length));
    }
    Some(Seen { line, headers, body })
}
