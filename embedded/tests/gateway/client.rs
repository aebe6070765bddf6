//! A client that sends bytes and reads one answer.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    /// `HTTP/1.1 200 OK`.
    pub(crate) status_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    }
}

/// Sends `request` and reads until the answer is whole.
pub(crate) async fn send(address: SocketAddr, request: &[u8]) -> Got {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A server may answer and close before it has read all.
        let _ = stream.write_all(request).await;
        read(&mut stream, request.starts_with(b"HEAD ")).await
    };
    tokio::time::timeout(Duration::from_secs(40), exchange)
        .await
        .unwrap_or_else(|_| panic!("no answer to {:?}", String::from_utf8_lossy(request)))
}

/// A GET of `path` at `host`.
pub(crate) async fn get(address: SocketAddr, host: &str, path: &str) -> Got {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
}

async fn read(stream: &mut TcpStream, head_only: bool) -> Got {
    let mut buffer = Vec::new();
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert!(stream.read_buf(&mut buffer).await.unwrap() > 0, "{:?}", String::from_utf8_lossy(&buffer));
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap().to_owned();
    let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut body = buffer.split_off(end + 4);
    let mut got = Got { status, status_line, headers, body: String::new() };
    if status == 101 {
        // What the backend says first belongs to the record.
        while body.len() < b"HELLO-WS".len() {
            assert!(stream.read_buf(&mut body).await.unwrap() > 0);
        }
        stream.write_all(b"ping").await.unwrap();
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, b"ping");
    } else if !head_only && !matches!(status, 204 | 304) {
        match got.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => {
                while body.len() < length {
                    assert!(stream.read_buf(&mut body).await.unwrap() > 0);
                }
            }
            None => while stream.read_buf(&mut body).await.unwrap_or(0) > 0 {},
        }
    }
    got.body = String::from_utf8_lossy(&body).into_owned();
    got
}
