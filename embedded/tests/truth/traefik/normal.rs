//! Requests and answers in the form of the recordings: ports by the name of who listens, long values by their length,
//! dates as such.

use super::client::Got;
use super::stub::Seen;
use super::world::World;

/// The longest value that a recording holds, in bytes.
const LONGEST: usize = 4096;

/// `text` with the recorded names of stubs instead of their addresses.
pub(crate) fn named(text: &str, world: &World) -> String {
    world.names().iter().fold(text.to_owned(), |text, (name, address)| text.replace(address, name))
}

fn value(name: &str, value: &str, world: &World) -> String {
    if name.eq_ignore_ascii_case("date")
        && jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).is_ok()
    {
        return "<date>".to_owned();
    }
    if value.len() > LONGEST { format!("<{} chars>", value.len()) } else { named(value, world) }
}

fn headers(headers: &[(String, String)], world: &World) -> Vec<String> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, text)| format!("{}: {}", name.to_ascii_lowercase(), value(name, text, world)))
        .collect();
    lines.sort();
    lines
}

/// A request that a stub saw, in lines. How its body travelled, in chunks or with its length, is left out where it is
/// true.
pub(crate) fn request(seen: &Seen, world: &World) -> Vec<String> {
    let framing = |name: &str| seen.headers.iter().position(|(header, _)| header.eq_ignore_ascii_case(name));
    let mut rest = seen.headers.clone();
    let mut body = seen.body.clone();
    if let Some(at) = framing("transfer-encoding")
        && let Some(whole) = unchunked(&body)
    {
        rest.remove(at);
        body = whole;
    } else if let Some(at) = framing("content-length")
        && rest[at].1 == body.len().to_string()
    {
        rest.remove(at);
    }
    let mut lines = vec![seen.line.clone()];
    lines.extend(headers(&rest, world));
    lines.push(format!("body: {:?}", String::from_utf8_lossy(&body)));
    lines
}

/// The body in `chunked`, which is whole.
fn unchunked(mut chunked: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = chunked.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&chunked[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(chunked.get(end + 2..end + 2 + size)?);
        chunked = chunked.get(end + 4 + size..)?;
    }
}

/// The answer a client got, in lines.
pub(crate) fn answer(got: &Got, world: &World) -> Vec<String> {
    let mut lines = vec![got.status_line.clone()];
    lines.extend(headers(&got.headers, world));
    lines.push(format!("body: {:?}", named(&got.body, world)));
    lines
}

/// Where `got` is not `recorded`: lines that are in one alone.
pub(crate) fn differences(who: &str, got: &[String], recorded: &[String]) -> Vec<String> {
    if got == recorded {
        return Vec::new();
    }
    let alone = |lines: &[String], others: &[String], word: &str| {
        let mut others = others.to_vec();
        let mut alone = Vec::new();
        for line in lines {
            match others.iter().position(|other| other == line) {
                Some(at) => drop(others.remove(at)),
                None => alone.push(format!("{who} {word}: {line}")),
            }
        }
        alone
    };
    let mut found = alone(got, recorded, "here");
    found.extend(alone(recorded, got, "recorded"));
    found
}
