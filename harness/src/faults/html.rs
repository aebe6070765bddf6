//! The matrix as a page of its own: no script, nothing to fetch.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::matrix::{Caught, Column, Matrix, Row};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#1b1f24}\
    h1{font-size:1.4rem}table{border-collapse:collapse;font-size:11px}\
    th.s{height:15rem;vertical-align:bottom;font-weight:400}\
    th.s span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}\
    td{border:1px solid #e3e6ea;min-width:.9rem;height:1.3rem;text-align:center;padding:0 .15rem}\
    td.f{text-align:left;white-space:nowrap;position:sticky;left:0;background:#fff;padding:0 .5rem}\
    td.n{background:#bfe5c7}td.m{background:#f4d58a}tr.bad td.f{background:#fbd5d5}th.idle span{color:#b42318}\
    td.g{font-weight:600;background:#f3f4f6;text-align:left}p.key span{padding:0 .5rem;margin-right:1rem}";

/// The page.
pub fn page(matrix: &Matrix) -> String {
    let idle = matrix.idle();
    let (failed, checks) = matrix.checks();
    let groups = matrix.rows.chunk_by(|one, other| one.fault.group == other.fault.group);
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "ssoproof: faults by scenarios" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Faults by scenarios" }
                p {
                    (matrix.rows.len()) " faults, " (matrix.columns.len()) " scenarios: "
                    (matrix.count(Caught::Named)) " caught and named, "
                    (matrix.count(Caught::Misnamed)) " misnamed, "
                    (matrix.count(Caught::Missed)) " caught by nobody, "
                    (idle.len()) " scenarios failed by no fault. "
                    (failed) " of " (checks) " checks failed by a fault, "
                    (matrix.failed_later()) " of them by one that comes right before their step."
                }
                p.key {
                    span style="background:#bfe5c7" { "failed, with the cause" }
                    span style="background:#f4d58a" { "failed, with another cause or none" }
                }
                table {
                    thead {
                        tr {
                            th {}
                            @for column in &matrix.columns { (heading(column, &idle)) }
                        }
                    }
                    @for rows in groups {
                        tbody {
                            tr { td.g colspan=(matrix.columns.len() + 1) { (rows[0].fault.group.word()) } }
                            @for row in rows { (line(row, &matrix.columns)) }
                        }
                    }
                }
            }
        }
    };
    body.into_string()
}

fn heading(column: &Column, idle: &[&str]) -> Markup {
    let class = if idle.contains(&column.scenario.as_str()) { "s idle" } else { "s" };
    html! { th class=(class) { span { (column.scenario) } } }
}

fn line(row: &Row, columns: &[Column]) -> Markup {
    let bad = matches!(row.caught(), Caught::Misnamed | Caught::Missed);
    html! {
        tr class=[bad.then_some("bad")] {
            td.f title=(row.fault.story) { (row.fault.name) " " small { (row.fault.diagnosis) } }
            @for column in columns { (cell(row, column)) }
        }
    }
}

fn cell(row: &Row, column: &Column) -> Markup {
    let Some(tally) = row.failed.get(&column.scenario) else { return html! { td {} } };
    let named = tally.causes.keys().all(|cause| row.names(cause));
    let title =
        format!("{} × {}: {} of {} cases", row.fault.name, column.scenario, tally.cases, column.cases);
    html! { td class=(if named { "n" } else { "m" }) title=(title) { (tally.cases) } }
}
