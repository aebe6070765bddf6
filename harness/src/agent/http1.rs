//! A lenient reader of one HTTP/1.1 response, fed with bytes.

use bytes::Bytes;

use crate::evidence::{ExchangeError, ExchangeErrorKind, ResponseRecord};

/// The longest response header read, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// The most header lines read.
const MAX_LINES: usize = 256;

/// What is still missing after some bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// More bytes, or the end of the connection.
    NeedMore,
    /// Nothing.
    Done(ResponseRecord),
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

/// Looks for a whole response at the start of `bytes`. `closed` says that no more will come; informational
/// responses other than 101 are passed over. After 101 nothing is read: what follows is another protocol.
///
/// # Errors
/// [`ExchangeErrorKind::Broken`] when the bytes are no HTTP/1.1 response or end too early.
pub(super) fn read(
    bytes: &[u8],
    method: &str,
    max_body: usize,
    closed: bool,
) -> Result<Progress, ExchangeError> {
    let mut rest = bytes;
    loop {
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut head = httparse::Response::new(&mut lines);
        let length = match head.parse(rest) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if rest.len() > MAX_HEAD => {
                return Err(broken(format!("the header is longer than {MAX_HEAD} bytes")));
            }
            Ok(httparse::Status::Partial) if closed => {
                return Err(broken(format!("closed after {} bytes, before the header ended", rest.len())));
            }
            Ok(httparse::Status::Partial) => return Ok(Progress::NeedMore),
            Err(error) => return Err(broken(format!("not an HTTP/1.1 response: {error}"))),
        };
        let status = head.code.unwrap_or_default();
        let body = rest.get(length..).unwrap_or_default();
        if matches!(status, 100..=199) && status != 101 {
            rest = body;
            continue;
        }
        let framing = framing(status, method, head.headers)?;
        let record = |body: Vec<u8>, body_cut: bool| {
            let lines = head.headers.iter().map(|line| (line.name.as_bytes().to_vec(), line.value.to_vec()));
            ResponseRecord { status, headers: lines.collect(), body: Bytes::from(body), body_cut }
        };
        return match take_body(framing, body, max_body, closed)? {
            Some((body, cut)) => Ok(Progress::Done(record(body, cut))),
            None => Ok(Progress::NeedMore),
        };
    }
}

fn framing(status: u16, method: &str, lines: &[httparse::Header<'_>]) -> Result<Framing, ExchangeError> {
    if method == "HEAD" || matches!(status, 101 | 204 | 304) {
        return Ok(Framing::None);
    }
    let values = |name: &'static str| {
        lines.iter().filter(move |line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value)
    };
    if values("transfer-encoding").any(|value| value.to_ascii_lowercase().ends_with(b"chunked")) {
        return Ok(Framing::Chunked);
    }
    let mut length = None;
    for value in values("content-length") {
        let text = String::from_utf8_lossy(value);
        let parsed =
            text.trim().parse().map_err(|_| broken(format!("`Content-Length: {text}` is no number")))?;
        if length.is_some_and(|length| length != parsed) {
            return Err(broken("two different `Content-Length` lines".into()));
        }
        length = Some(parsed);
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

/// The body and whether it was cut; `None` when more bytes must come.
fn take_body(
    framing: Framing,
    bytes: &[u8],
    max: usize,
    closed: bool,
) -> Result<Option<(Vec<u8>, bool)>, ExchangeError> {
    let cut = |bytes: &[u8]| Some((bytes.get(..max).unwrap_or(bytes).to_vec(), bytes.len() > max));
    match framing {
        Framing::None => Ok(Some((Vec::new(), false))),
        Framing::Length(length) => match bytes.get(..length) {
            Some(body) => Ok(cut(body)),
            None if bytes.len() > max => Ok(cut(bytes)),
            None if closed => Err(broken(format!("closed after {} of {length} body bytes", bytes.len()))),
            None => Ok(None),
        },
        Framing::UntilClose if closed || bytes.len() > max => Ok(cut(bytes)),
        Framing::UntilClose => Ok(None),
        Framing::Chunked => {
            let mut body = Vec::new();
            match dechunk(bytes, max, &mut body)? {
                true => Ok(cut(&body)),
                false if closed => Err(broken(format!("closed after {} bytes, inside a chunk", bytes.len()))),
                false => Ok(None),
            }
        }
    }
}

/// Appends the chunks to `body` until the last one or until `max` is passed; `false` when more bytes must come.
fn dechunk(mut bytes: &[u8], max: usize, body: &mut Vec<u8>) -> Result<bool, ExchangeError> {
    loop {
        let (start, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(false),
            Err(_) => return Err(broken("a chunk has no size".into())),
        };
        bytes = bytes.get(start..).unwrap_or_default();
        if size == 0 {
            return Ok(trailers_end(bytes));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(chunk) = bytes.get(..size) else {
            body.extend_from_slice(bytes);
            return Ok(body.len() > max);
        };
        body.extend_from_slice(chunk);
        if body.len() > max {
            return Ok(true);
        }
        match bytes.get(size..size.saturating_add(2)) {
            Some(b"\r\n") => bytes = bytes.get(size + 2..).unwrap_or_default(),
            Some(_) => return Err(broken("a chunk is longer than its size".into())),
            None => return Ok(false),
        }
    }
}

fn trailers_end(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\r\n") || bytes.windows(4).any(|window| window == b"\r\n\r\n")
}

fn broken(reason: String) -> ExchangeError {
    ExchangeError::new(ExchangeErrorKind::Broken, reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn done(bytes: &[u8], method: &str, closed: bool) -> ResponseRecord {
        match read(bytes, method, 1000, closed).unwrap() {
            Progress::Done(record) => record,
            Progress::NeedMore => panic!("unfinished"),
        }
    }

    #[test]
    fn header_bytes_order_and_case_are_kept() {
        let record = done(
            b"HTTP/1.1 200 OK\r\nX-B: \xc3\xb6\r\nx-a: 1\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nokrest",
            "GET",
            false,
        );
        assert_eq!(record.headers[0], (b"X-B".to_vec(), b"\xc3\xb6".to_vec()));
        assert_eq!(record.headers[1].0, b"x-a");
        assert_eq!(record.body.as_ref(), b"ok");
    }

    #[test]
    fn chunks_are_joined_and_trailers_passed_over() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n";
        assert_eq!(done(bytes, "GET", false).body.as_ref(), b"abcde");
        assert_eq!(read(&bytes[..60], "GET", 1000, false).unwrap(), Progress::NeedMore);
        assert!(read(&bytes[..60], "GET", 1000, true).is_err());
    }

    #[test]
    fn continue_is_passed_over_and_switching_protocols_is_an_end() {
        let record = done(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00", "GET", false);
        assert_eq!((record.status, record.body.len()), (101, 0));
    }

    #[test]
    fn head_and_204_have_no_body_whatever_their_headers_say() {
        assert_eq!(done(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HEAD", false).body.len(), 0);
        assert_eq!(done(b"HTTP/1.1 204 No Content\r\n\r\n", "GET", false).body.len(), 0);
    }

    #[test]
    fn without_framing_the_body_ends_with_the_connection() {
        let bytes = b"HTTP/1.0 400 Bad Request\r\n\r\nno";
        assert_eq!(read(bytes, "GET", 1000, false).unwrap(), Progress::NeedMore);
        assert_eq!(done(bytes, "GET", true).body.as_ref(), b"no");
    }

    #[test]
    fn an_early_close_and_two_lengths_are_errors() {
        let short = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "GET", 1000, true).unwrap_err();
        assert_eq!(short.text, "closed after 2 of 5 body bytes");
        assert!(
            read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nab", "GET", 9, true)
                .is_err()
        );
    }

    #[test]
    fn long_bodies_are_cut() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabcdef"[..],
            &b"HTTP/1.1 200 OK\r\n\r\nabcdef"[..],
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabcdef"[..],
        ] {
            let Progress::Done(record) = read(bytes, "GET", 4, false).unwrap() else { panic!("unfinished") };
            assert!(record.body_cut);
            assert_eq!(record.body.as_ref(), b"abcd");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), closed: bool) {
            let _ = read(&bytes, "GET", 64, closed);
            let mut whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            whole.extend(&bytes);
            let _ = read(&whole, "GET", 64, closed);
        }
    }
}
