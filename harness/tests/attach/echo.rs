//! A service that answers as `traefik/whoami` does: with the request that reached it.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Serves at `address` until the test ends.
pub(crate) async fn start(address: SocketAddr) -> JoinHandle<()> {
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        loop {
            let Ok((stream, peer)) = listener.accept().await else { return };
            tokio::spawn(answer(stream, peer));
        }
    })
}

/// One request to a connection.
async fn answer(stream: TcpStream, peer: SocketAddr) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while let Ok(read) = stream.read_line(&mut head).await {
        if read == 0 || head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let body = format!("Hostname: echo\nIP: 127.0.0.1\nRemoteAddr: {peer}\n{}", head.replace('\r', ""));
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let answer = if head.starts_with("HEAD ") { answer } else { answer + &body };
    // The gateway may be gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}
