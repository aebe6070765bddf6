//! What the agent reads out of HTML: forms, titles, meta refresh.

use http::Method;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::browser::Agent;
use super::landing::Landing;
use super::outgoing::Outgoing;
use crate::evidence::{Cause, Ledger};

/// Why a form could not be submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The navigation did not end on a page.
    #[error("there is no page to submit a form of")]
    NoPage,
    /// The selector is not CSS.
    #[error("`{selector}` is not a CSS selector")]
    BadSelector {
        /// The selector given.
        selector: String,
    },
    /// No form matches.
    #[error("no form at `{url}` matches `{selector}`; the page has {forms}")]
    NoForm {
        /// The page.
        url: String,
        /// The selector given.
        selector: String,
        /// How many forms the page has.
        forms: usize,
    },
    /// The form asks for an encoding that is not modelled.
    #[error("form encoding `{encoding}` is not supported")]
    Encoding {
        /// The form's `enctype`.
        encoding: String,
    },
    /// The form's action is no URL.
    #[error("form action `{action}` is not a URL")]
    BadAction {
        /// The form's `action`.
        action: String,
    },
}

impl Agent {
    /// Submits the first form that `selector` matches (itself or its surroundings) on the page landed on:
    /// its own successful controls with `fields` put over them, and fields it does not have added.
    ///
    /// # Errors
    /// [`FormError`] when there is no such form or it cannot be encoded.
    pub async fn submit_form(
        &mut self,
        landing: &Landing,
        selector: &str,
        fields: &[(&str, &str)],
        ledger: &mut Ledger,
    ) -> Result<Landing, FormError> {
        let request = {
            let Landing::Arrived { hop } = landing else { return Err(FormError::NoPage) };
            let hop = ledger.hop(*hop).ok_or(FormError::NoPage)?;
            let html = hop.response().ok_or(FormError::NoPage)?.text();
            let page = &hop.request.url;
            read(&html, page, selector, fields)?.into_request(page)
        };
        Ok(self.navigate_by(request, Cause::Form, ledger).await)
    }
}

/// A form filled in.
#[derive(Debug, PartialEq)]
struct Filled {
    post: bool,
    action: Url,
    fields: Vec<(String, String)>,
}

impl Filled {
    fn into_request(self, page: &Url) -> Outgoing {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if self.post {
            return Outgoing::post_form(self.action, fields, Some(page.clone()));
        }
        let mut url = self.action.clone();
        url.query_pairs_mut().clear().extend_pairs(fields);
        Outgoing { method: Method::GET, initiator: Some(page.clone()), ..Outgoing::get(url) }
    }
}

fn read(html: &str, page: &Url, selector: &str, fields: &[(&str, &str)]) -> Result<Filled, FormError> {
    let document = Html::parse_document(html);
    let wanted =
        Selector::parse(selector).map_err(|_| FormError::BadSelector { selector: selector.to_owned() })?;
    let form = document.select(&wanted).find_map(enclosing_form).ok_or_else(|| FormError::NoForm {
        url: page.to_string(),
        selector: selector.to_owned(),
        forms: all(&document, "form").len(),
    })?;
    let base = all(&document, "base[href]")
        .first()
        .and_then(|base| page.join(base.attr("href").unwrap_or_default()).ok())
        .unwrap_or_else(|| page.clone());
    let action = form.attr("action").unwrap_or_default().trim();
    let target = if action.is_empty() { Ok(page.clone()) } else { base.join(action) };
    let action = target.map_err(|_| FormError::BadAction { action: action.to_owned() })?;
    let post = form.attr("method").is_some_and(|method| method.trim().eq_ignore_ascii_case("post"));
    let encoding = form.attr("enctype").unwrap_or("application/x-www-form-urlencoded");
    if post && !encoding.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::Encoding { encoding: encoding.to_owned() });
    }
    let mut filled = controls(form);
    for (name, value) in fields {
        match filled.iter_mut().find(|(key, _)| key == name) {
            Some(field) => (*value).clone_into(&mut field.1),
            None => filled.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    Ok(Filled { post, action, fields: filled })
}

fn enclosing_form(element: ElementRef<'_>) -> Option<ElementRef<'_>> {
    std::iter::once(element)
        .chain(element.ancestors().filter_map(ElementRef::wrap))
        .find(|element| element.value().name() == "form")
}

/// The successful controls in document order; buttons are not among them, as when Enter is pressed.
fn controls(form: ElementRef<'_>) -> Vec<(String, String)> {
    let Ok(selector) = Selector::parse("input[name], select[name], textarea[name]") else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    for control in form.select(&selector).filter(|control| control.attr("disabled").is_none()) {
        let name = control.attr("name").unwrap_or_default().to_owned();
        let value = control.attr("value");
        match control.value().name() {
            "textarea" => fields.push((name, control.text().collect())),
            "select" => {
                if let Some(value) = selected(control) {
                    fields.push((name, value));
                }
            }
            _ => match control.attr("type").unwrap_or("text").to_ascii_lowercase().as_str() {
                "submit" | "button" | "reset" | "image" | "file" => {}
                "checkbox" | "radio" if control.attr("checked").is_none() => {}
                "checkbox" | "radio" => fields.push((name, value.unwrap_or("on").to_owned())),
                _ => fields.push((name, value.unwrap_or_default().to_owned())),
            },
        }
    }
    fields
}

fn selected(select: ElementRef<'_>) -> Option<String> {
    let selector = Selector::parse("option").ok()?;
    let options: Vec<_> = select.select(&selector).collect();
    let option = options.iter().find(|option| option.attr("selected").is_some()).or(options.first())?;
    Some(option.attr("value").map_or_else(|| option.text().collect(), str::to_owned))
}

fn all<'a>(document: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector).map(|selector| document.select(&selector).collect()).unwrap_or_default()
}

/// The text of the first `<title>`.
pub(super) fn title(html: &str) -> Option<String> {
    // Parsing a whole page for a word it does not hold would be waste.
    if !html.contains("<title") {
        return None;
    }
    all(&Html::parse_document(html), "title").first().map(|title| title.text().collect())
}

/// The `content` of the first `<meta http-equiv=refresh>`.
pub(super) fn meta_refresh(html: &str) -> Option<String> {
    if !contains_ignoring_case(html, "http-equiv") {
        return None;
    }
    let document = Html::parse_document(html);
    all(&document, "meta[http-equiv][content]")
        .into_iter()
        .find(|meta| {
            meta.attr("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"))
        })
        .and_then(|meta| meta.attr("content").map(str::to_owned))
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<html><body><form id=other><input name=z value=0></form>
        <form action="../login?stale=1" method=POST>
          <input type=hidden name=csrf value=t0k>
          <input name=user><input type=password name=password>
          <input type=checkbox name=remember checked><input type=checkbox name=no>
          <input name=off value=1 disabled>
          <select name=lang><option value=de>Deutsch<option value=en selected>English</select>
          <textarea name=note>hi</textarea><button name=go value=1>Go</button>
        </form></body></html>"#;

    fn filled(selector: &str, fields: &[(&str, &str)]) -> Result<Filled, FormError> {
        read(PAGE, &Url::parse("https://a.test/x/y/").unwrap(), selector, fields)
    }

    #[test]
    fn a_form_is_sent_with_its_own_controls_and_the_callers() {
        let form = filled("input[name=csrf]", &[("user", "alice"), ("extra", "1")]).unwrap();
        assert!(form.post);
        assert_eq!(form.action.as_str(), "https://a.test/x/login?stale=1");
        let fields: Vec<_> = form.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            fields,
            ["csrf=t0k", "user=alice", "password=", "remember=on", "lang=en", "note=hi", "extra=1"]
        );
    }

    #[test]
    fn a_get_form_replaces_the_query() {
        let request =
            filled("#other", &[]).unwrap().into_request(&Url::parse("https://a.test/x/y/?q=1").unwrap());
        assert_eq!(request.url.as_str(), "https://a.test/x/y/?z=0");
    }

    #[test]
    fn a_missing_form_says_how_many_there_are() {
        assert_eq!(
            filled("#nope", &[]).unwrap_err().to_string(),
            "no form at `https://a.test/x/y/` matches `#nope`; the page has 2"
        );
        assert!(matches!(filled("[[", &[]), Err(FormError::BadSelector { .. })));
    }

    #[test]
    fn meta_refresh_is_found_in_any_case() {
        assert_eq!(
            meta_refresh(r#"<META HTTP-EQUIV="Refresh" content="0; url=/x">"#).as_deref(),
            Some("0; url=/x")
        );
        assert_eq!(meta_refresh("<p>http-equiv refresh"), None);
    }
}
