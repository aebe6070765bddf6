//! The report as a page of its own: no script, nothing to fetch.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::behaviour::{Behaviour, Report};
use super::ledger::rows;
use super::severity::Severity;
use super::text::{headline, reach};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#1b1f24}\
    h1{font-size:1.4rem}h2{font-size:1.1rem}article{border-left:.3rem solid #c9ced6;padding:.2rem 1rem;margin:1rem 0}\
    article.breaking{border-color:#b42318}article.changed{border-color:#d29922}\
    p{margin:.2rem 0}table{border-collapse:collapse;font:12px/1.4 ui-monospace,monospace}\
    td,th{border:1px solid #e3e6ea;padding:.1rem .4rem;text-align:left;vertical-align:top;word-break:break-all}\
    tr.t td{background:#fff3cd}td.none{background:#f3f4f6}.what{font-weight:600;word-break:break-word}\
    span.v{padding:.1rem .6rem;color:#fff;background:#2f7d4f}span.v.changed{background:#b07d10}\
    span.v.broken{background:#b42318}";

/// The page.
pub fn page(report: &Report) -> String {
    let verdict = report.verdict().word();
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "ssoproof: " (report.from) " to " (report.to) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What differs " span class={ "v " (verdict) } { (verdict) } }
                p { "From " b { (report.from) } " to " b { (report.to) } ": "
                    (report.compared) " cases on both sides." }
                @for severity in Severity::ALL {
                    @if report.count(severity) > 0 {
                        h2 { (severity.word()) " (" (report.count(severity)) ")" }
                        @for behaviour in report.behaviours.iter().filter(|of| of.severity == severity) {
                            (article(behaviour))
                        }
                    }
                }
                (unmatched("Only on the first side", &report.only_from))
                (unmatched("Only on the second side", &report.only_to))
            }
        }
    };
    body.into_string()
}

fn article(of: &Behaviour) -> Markup {
    html! {
        article class=(of.severity.word()) {
            p.what { (headline(of)) }
            p { (of.reason) "; " (reach(of)) }
            @for known in &of.known {
                p { "Known since " (known.since) ": " (known.title) " (" (known.reference) ")" }
            }
            details {
                summary { "as " (of.example.from.id) }
                table {
                    thead { tr { th { "from" } th { "to" } } }
                    tbody {
                        @for row in rows(of) {
                            tr class=[row.turning.then_some("t")] { (cell(row.from.as_deref())) (cell(row.to.as_deref())) }
                        }
                    }
                }
            }
            details {
                summary { (of.cases.len()) " cases" }
                ul { @for case in &of.cases { li { (case) } } }
            }
        }
    }
}

fn cell(line: Option<&str>) -> Markup {
    match line {
        Some(line) => html! { td { (line) } },
        None => html! { td.none {} },
    }
}

fn unmatched(title: &str, ids: &[String]) -> Markup {
    html! {
        @if !ids.is_empty() {
            h2 { (title) " (" (ids.len()) ")" }
            ul { @for id in ids { li { (id) } } }
        }
    }
}
