//! HTTP/1 requests read from a connection without losing a byte of their headers.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The longest head read, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// The most header lines read.
const MAX_HEADERS: usize = 200;
/// The longest body read, in bytes.
const MAX_BODY: usize = 1 << 20;
/// The longest chunk-size or trailer line read, in bytes.
const MAX_LINE: usize = 8 << 10;
/// How long a connection may stand idle, and how long a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a request was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The connection ended, or was silent for a minute.
    #[error("the connection ended")]
    Gone,
    /// The request is no HTTP, or its framing is ambiguous.
    #[error("bad request: {0}")]
    Bad(&'static str),
    /// The head is longer than 64 KiB or has more than 200 lines.
    #[error("the head is too large")]
    HeadTooLarge,
    /// The body is longer than 1 MiB.
    #[error("the body is too large")]
    BodyTooLarge,
    /// A transfer coding other than `chunked`.
    #[error("unknown transfer coding")]
    Coding,
}

impl WireError {
    /// The status that says so; `None` when nobody is there to read it.
    pub(super) fn status(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone => None,
            Self::Bad(_) => Some((400, "Bad Request")),
            Self::HeadTooLarge => Some((431, "Request Header Fields Too Large")),
            Self::BodyTooLarge => Some((413, "Content Too Large")),
            Self::Coding => Some((501, "Not Implemented")),
        }
    }
}

impl From<io::Error> for WireError {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: u8,
    pub(super) headers: Vec<(String, Bytes)>,
}

/// How the body is framed.
#[derive(Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

/// A connection and what was read of it but not used yet.
pub(super) struct Wire<S> {
    stream: S,
    buffer: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The next head.
    pub(super) async fn head(&mut self) -> Result<Head, WireError> {
        loop {
            if let Some((head, length)) = parse(&self.buffer)? {
                let _ = self.buffer.split_to(length);
                return Ok(head);
            }
            if self.buffer.len() >= MAX_HEAD {
                return Err(WireError::HeadTooLarge);
            }
            self.more().await?;
        }
    }

    /// Reads the body that goes with `head` and returns its length in bytes.
    pub(super) async fn body(&mut self, head: &Head) -> Result<usize, WireError> {
        let framing = framing(head)?;
        let expects = |(name, value): &(String, Bytes)| {
            name.eq_ignore_ascii_case("expect") && value.eq_ignore_ascii_case(b"100-continue")
        };
        let wanted = match framing {
            Framing::Length(length) => (1..=MAX_BODY).contains(&length),
            Framing::Chunked => true,
        };
        if wanted && head.headers.iter().any(expects) {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let reading = async {
            match framing {
                Framing::Length(length) if length > MAX_BODY => Err(WireError::BodyTooLarge),
                Framing::Length(length) => self.skip(length).await.map(|()| length),
                Framing::Chunked => self.chunks().await,
            }
        };
        timeout(PATIENCE, reading).await.map_err(|_| WireError::Gone)?
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Ends the sending half, then reads on for a moment, so that the peer gets the answer and no reset.
    pub(super) async fn finish(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut rest = [0; 8 << 10];
        let mut left = 16 * MAX_BODY;
        let draining = async {
            while left > 0 {
                match self.stream.read(&mut rest).await {
                    Ok(0) | Err(_) => return,
                    Ok(count) => left = left.saturating_sub(count),
                }
            }
        };
        let _ = timeout(Duration::from_secs(5), draining).await;
    }

    async fn more(&mut self) -> Result<(), WireError> {
        match timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await {
            Ok(Ok(count)) if count > 0 => Ok(()),
            _ => Err(WireError::Gone),
        }
    }

    async fn skip(&mut self, mut length: usize) -> Result<(), WireError> {
        loop {
            let there = length.min(self.buffer.len());
            let _ = self.buffer.split_to(there);
            length -= there;
            if length == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    async fn line(&mut self) -> Result<BytesMut, WireError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Ok(self.buffer.split_to(end + 1));
            }
            if self.buffer.len() >= MAX_LINE {
                return Err(WireError::Bad("line too long"));
            }
            self.more().await?;
        }
    }

    async fn chunks(&mut self) -> Result<usize, WireError> {
        let mut total: usize = 0;
        loop {
            let line = self.line().await?;
            let size = match httparse::parse_chunk_size(&line) {
                Ok(httparse::Status::Complete((_, size))) => usize::try_from(size),
                _ => return Err(WireError::Bad("chunk size")),
            };
            let size = size.map_err(|_| WireError::BodyTooLarge)?;
            if size == 0 {
                break;
            }
            total = total.saturating_add(size);
            if total > MAX_BODY {
                return Err(WireError::BodyTooLarge);
            }
            self.skip(size).await?;
            if self.line().await?[..] != b"\r\n"[..] {
                return Err(WireError::Bad("chunk end"));
            }
        }
        for _ in 0..MAX_HEADERS {
            if self.line().await?[..] == b"\r\n"[..] {
                return Ok(total);
            }
        }
        Err(WireError::HeadTooLarge)
    }
}

/// The head at the beginning of `bytes` and its length, once it is whole.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, WireError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length > MAX_HEAD => return Err(WireError::HeadTooLarge),
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(WireError::HeadTooLarge),
        Err(_) => return Err(WireError::Bad("head")),
    };
    let headers = request
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), Bytes::copy_from_slice(header.value)))
        .collect();
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        version: request.version.unwrap_or_default(),
        headers,
    };
    Ok(Some((head, length)))
}

/// A body that two readers could frame in two ways is refused.
fn framing(head: &Head) -> Result<Framing, WireError> {
    let values = |name: &'static str| {
        head.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_ascii())
    };
    let mut codings = values("transfer-encoding");
    let mut lengths = values("content-length");
    match (codings.next(), lengths.next()) {
        (Some(_), Some(_)) => Err(WireError::Bad("length and transfer coding")),
        (Some(_), None) if codings.next().is_some() => Err(WireError::Coding),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (Some(_), None) => Err(WireError::Coding),
        (None, Some(length)) => {
            let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
            if !digits || lengths.any(|other| other != length) {
                return Err(WireError::Bad("content length"));
            }
            let text = std::str::from_utf8(length).unwrap_or_default();
            text.parse().map(Framing::Length).map_err(|_| WireError::BodyTooLarge)
        }
        (None, None) => Ok(Framing::Length(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads one request out of `bytes`.
    async fn read(bytes: &[u8]) -> Result<(Head, usize), WireError> {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let feed = async move {
            // A reader that has given up is no failure.
            let _ = far.write_all(bytes).await;
            let _ = far.shutdown().await;
            let mut rest = Vec::new();
            let _ = far.read_to_end(&mut rest).await;
        };
        let reading = async move {
            let mut wire = Wire::new(near);
            let head = wire.head().await?;
            let length = wire.body(&head).await?;
            Ok((head, length))
        };
        tokio::join!(feed, reading).1
    }

    #[tokio::test]
    async fn header_names_keep_case_order_duplicates_and_bytes() {
        let (head, length) =
            read(b"GET /a?b HTTP/1.1\r\nhOST: x\r\nX_a: 1\r\nx-a:  \xc3\xab\xff \r\nX_a: 2\r\n\r\n")
                .await
                .unwrap();
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref())).collect();
        let expected: [(&str, &[u8]); 4] =
            [("hOST", b"x"), ("X_a", b"1"), ("x-a", b"\xc3\xab\xff"), ("X_a", b"2")];
        assert_eq!(headers, expected);
        assert_eq!((head.target.as_str(), length), ("/a?b", 0));
    }

    #[tokio::test]
    async fn chunked_bodies_are_measured_without_their_framing() {
        let (_, length) = read(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n2\r\nef\r\n0\r\nT: 1\r\n\r\n",
        )
        .await
        .unwrap();
        assert_eq!(length, 6);
    }

    #[tokio::test]
    async fn ambiguous_or_oversized_requests_are_refused() {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(201));
        let long = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(70_000));
        for (request, status) in [
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
            ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
            ("\x16\x03\x01 hello", 400),
            (many.as_str(), 431),
            (long.as_str(), 431),
        ] {
            let refused = read(request.as_bytes()).await.unwrap_err();
            let shown = &request[..request.len().min(80)];
            assert_eq!(refused.status().map(|(status, _)| status), Some(status), "{shown:?} {refused}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _ = runtime.block_on(read(&bytes));
        }
    }
}
