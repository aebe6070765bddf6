//! As much of WebSocket (RFC 6455) as a probe needs: the handshake, one text frame, the close.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arrived::Arrived;
use crate::digest::sha1;

/// A close frame with status 1000.
pub(super) const CLOSE: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];

/// The `Sec-WebSocket-Accept` of a request that asks for a WebSocket; `None` when it does not, or not properly.
pub(super) fn accept(arrived: &Arrived) -> Option<String> {
    let key = arrived.header("sec-websocket-key")?;
    let asks = arrived.method == "GET"
        && arrived.version == 1
        && arrived.lists("upgrade", "websocket")
        && arrived.lists("connection", "upgrade")
        && STANDARD.decode(&key).is_ok_and(|bytes| bytes.len() == 16);
    asks.then(|| STANDARD.encode(sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes())))
}

/// `text` as one unmasked text frame.
pub(super) fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn handshake_of_rfc_6455() {
        let mut arrived = Arrived {
            method: "GET".to_owned(),
            target: "/chat".to_owned(),
            version: 1,
            headers: [
                ("Upgrade", "websocket"),
                ("Connection", "keep-alive, Upgrade"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            .map(|(name, value)| (name.to_owned(), Bytes::from_static(value.as_bytes())))
            .to_vec(),
            body_length: 0,
            user: None,
        };
        assert_eq!(accept(&arrived).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        arrived.headers[2].1 = Bytes::from_static(b"short");
        assert_eq!(accept(&arrived), None);
    }

    #[test]
    fn frames_hold_their_length_in_three_ways() {
        assert_eq!(text_frame("hi"), [0x81, 2, b'h', b'i']);
        assert_eq!(text_frame(&"x".repeat(200))[..4], [0x81, 126, 0, 200]);
        assert_eq!(text_frame(&"x".repeat(70_000))[..4], [0x81, 127, 0, 0]);
    }
}
