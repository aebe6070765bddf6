//! Reading requests off a connection without changing a byte.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::arrived::Arrived;

/// The longest header block taken, in bytes.
const MAX_HEAD: usize = 2 << 20;

/// The longest body taken, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;

/// The most header lines taken.
const MAX_LINES: usize = 512;

/// Why a request was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The client has closed, between requests or within one.
    Closed,
    /// It is no HTTP/1.
    Malformed,
    /// It is longer than what is taken.
    TooLong,
}

/// The next request of a connection; `buffer` holds what was read beyond the one before.
pub(super) async fn next<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Result<Arrived, Unread> {
    let (mut arrived, used) = loop {
        match head(buffer)? {
            Some(parsed) => break parsed,
            None if buffer.len() > MAX_HEAD => return Err(Unread::TooLong),
            None => more(stream, buffer).await?,
        }
    };
    buffer.drain(..used);
    let chunked = arrived
        .header("transfer-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    arrived.body = if chunked {
        chunks(stream, buffer).await?
    } else {
        let length =
            arrived.header("content-length").unwrap_or("0").trim().parse().map_err(|_| Unread::Malformed)?;
        exactly(stream, buffer, length).await?
    };
    Ok(arrived)
}

/// The request line and header lines, with how many bytes they take; none while they are not whole.
fn head(buffer: &[u8]) -> Result<Option<(Arrived, usize)>, Unread> {
    let mut lines = vec![httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    let used = match request.parse(buffer) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Unread::TooLong),
        Err(_) => return Err(Unread::Malformed),
    };
    let arrived = Arrived {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        version: request.version.unwrap_or(1),
        headers: request.headers.iter().map(|line| (line.name.to_owned(), line.value.to_vec())).collect(),
        body: Vec::new(),
    };
    Ok(Some((arrived, used)))
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<(), Unread> {
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => Err(Unread::Closed),
        Ok(_) => Ok(()),
    }
}

async fn exactly<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, Unread> {
    if length > MAX_BODY {
        return Err(Unread::TooLong);
    }
    while buffer.len() < length {
        more(stream, buffer).await?;
    }
    Ok(buffer.drain(..length).collect())
}

async fn line<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<String, Unread> {
    loop {
        if let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = buffer.drain(..end + 2).collect();
            return String::from_utf8(line)
                .map(|line| line.trim_end().to_owned())
                .map_err(|_| Unread::Malformed);
        }
        if buffer.len() > MAX_BODY {
            return Err(Unread::TooLong);
        }
        more(stream, buffer).await?;
    }
}

async fn chunks<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    loop {
        let size = line(stream, buffer).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Unread::Malformed)?;
        if size == 0 {
            while !line(stream, buffer).await?.is_empty() {}
            return Ok(body);
        }
        if body.len().saturating_add(size) > MAX_BODY {
            return Err(Unread::TooLong);
        }
        body.extend(exactly(stream, buffer, size).await?);
        line(stream, buffer).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Vec<Arrived>, Unread> {
        let (mut stream, mut buffer, mut all) = (bytes, Vec::new(), Vec::new());
        loop {
            match next(&mut stream, &mut buffer).await {
                Ok(arrived) => all.push(arrived),
                Err(Unread::Closed) => return Ok(all),
                Err(error) => return Err(error),
            }
        }
    }

    #[tokio::test]
    async fn names_repeats_and_bytes_are_kept() {
        let all = read(b"GET /a?b HTTP/1.1\r\nHost: x\r\nx_AUTH: \xff\r\nX_Auth: 2\r\n\r\n").await.unwrap();
        assert_eq!(all[0].headers[1], ("x_AUTH".to_owned(), vec![0xff]));
        assert_eq!(all[0].headers[2].0, "X_Auth");
    }

    #[tokio::test]
    async fn bodies_end_where_they_say() {
        let text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                     POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\n\r\n";
        let all = read(text).await.unwrap();
        let bodies: Vec<&[u8]> = all.iter().map(|arrived| arrived.body.as_slice()).collect();
        assert_eq!(bodies, [b"abc".as_slice(), b"ok", b""]);
    }

    #[tokio::test]
    async fn hostile_lengths_are_refused() {
        assert_eq!(
            read(b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n").await,
            Err(Unread::TooLong)
        );
        assert_eq!(read(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n").await, Err(Unread::Malformed));
        assert_eq!(read(b"\x00\x01 nonsense\r\n\r\n").await, Err(Unread::Malformed));
    }
}
