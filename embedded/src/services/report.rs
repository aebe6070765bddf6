//! What a service answers: a report of what reached it.

use maud::{DOCTYPE, PreEscaped, html};
use serde_json::{Value, json};

use super::arrived::Arrived;
use super::bridge;
use super::server::Settings;

/// The answer to `arrived`: status line, header lines, body.
pub(super) fn answer(settings: &Settings, key: &bridge::Key, arrived: &Arrived) -> Vec<u8> {
    let mut report = json!({
        "service": settings.name,
        "method": arrived.method,
        "target": arrived.target,
        "version": format!("HTTP/1.{}", arrived.version),
        "headers": arrived.headers_json(),
        "body_length": arrived.body.len(),
    });
    if settings.folding {
        report["environ"] = arrived.environ();
    }
    let mut lines = vec![
        format!("X-Ssoproof-Probe: {}", settings.name),
        "Set-Cookie: backend_cookie=1; Path=/".to_owned(),
        "Cache-Control: no-store".to_owned(),
    ];
    if let Some(kind) = settings.bridge {
        let (user, cookies) = bridge::identify(kind, arrived, key);
        report["user"] = user;
        lines.extend(cookies.into_iter().map(|cookie| format!("Set-Cookie: {cookie}")));
    }
    if is_websocket(arrived) {
        lines.extend(["Connection: Upgrade".to_owned(), "Upgrade: websocket".to_owned()]);
        return message("101 Switching Protocols", &lines, "");
    }
    let wants_html = arrived.header("accept").is_some_and(|accept| accept.contains("text/html"));
    let (kind, body) = if wants_html {
        ("text/html; charset=utf-8", page(&settings.name, &report))
    } else {
        ("application/json", report.to_string())
    };
    lines.push(format!("Content-Type: {kind}"));
    lines.push(format!("Content-Length: {}", body.len()));
    message("200 OK", &lines, if arrived.method == "HEAD" { "" } else { &body })
}

/// An answer without a report, after which the connection is closed.
pub(super) fn refusal(status: &str) -> Vec<u8> {
    message(status, &["Content-Length: 0".to_owned(), "Connection: close".to_owned()], "")
}

pub(super) fn is_websocket(arrived: &Arrived) -> bool {
    arrived.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

fn message(status: &str, lines: &[String], body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

/// The report in a page; `<` is written so that nothing in it can end the script element.
fn page(name: &str, report: &Value) -> String {
    let json = report.to_string().replace('<', "\\u003c");
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (name) } }
            body {
                h1 { (name) }
                script type="application/json" id="arrived" { (PreEscaped(json)) }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cannot_leave_its_script_element() {
        let page = page("docs", &json!({ "headers": [["X", "</script><script>alert(1)"]] }));
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(page.contains("\\u003c/script>"));
    }
}
