//! List, retrieve, create, change and delete, once for all resources (`01-config-api`).

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::call::{Call, View};
use super::fields::Fields;
use super::refusal::{Answer, Refusal, done, shown};
use crate::authentik::state::State;

/// The methods of a list and of an item, as `Allow` names them.
const COLLECTION: &str = "GET, POST, HEAD, OPTIONS";
const ITEM: &str = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";
/// The methods of what is only read.
pub(super) const READ: &str = "GET, HEAD, OPTIONS";

/// The longest page, in items.
const MAX_PAGE: usize = 100;
const DEFAULT_PAGE: usize = 20;

/// An answer, with the methods that its path takes.
pub(super) type Answered = (Answer, &'static str);

/// A path below a list (`users/me/`) or below an item (`users/5/set_password/`).
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) of_item: bool,
    /// `GET` or `POST`.
    pub(super) method: Method,
    /// Answers, given the item's part of the path; checks itself who calls.
    pub(super) run: fn(&Call<'_>, &str) -> Answer,
}

impl Action {
    fn allow(&self) -> &'static str {
        if self.method == Method::GET { READ } else { "POST, OPTIONS" }
    }

    fn answer(&self, call: &Call<'_>, item: &str) -> Answer {
        let fits = call.method == self.method || (self.method == Method::GET && call.method == Method::HEAD);
        if fits { (self.run)(call, item) } else { Err(Refusal::Method(call.method.clone())) }
    }
}

/// A table of the state that the API shows.
pub(super) trait Resource {
    type Key: Clone;
    type Item: Clone;

    /// The name of one, as errors say it.
    const MODEL: &'static str;
    /// The methods of the list.
    const METHODS: &'static str = COLLECTION;
    /// What is answered below the list or an item besides.
    const ACTIONS: &'static [Action] = &[];
    /// Takes an item out, with all that hangs on it; none where items are not deleted.
    const REMOVE: Option<fn(&mut State, &Self::Key)> = None;

    /// All items, unordered.
    fn rows(state: &State) -> Vec<&Self::Item>;
    /// The key of the item that a path names.
    fn find(state: &State, segment: &str) -> Option<Self::Key>;
    /// The item with a key.
    fn item<'s>(state: &'s State, key: &Self::Key) -> Option<&'s Self::Item>;
    /// The item as JSON.
    fn show(view: View<'_>, item: &Self::Item) -> Value;
    /// What lists are ordered by.
    fn order(item: &Self::Item) -> String;

    /// The value a filter of another name than a member compares with.
    fn filter(_view: View<'_>, _item: &Self::Item, _name: &str) -> Option<String> {
        None
    }
}

/// A table whose items are also made and changed by the API.
pub(super) trait Editable: Resource {
    /// The item that a body makes: a new one, or `old` changed. Complaints go to `fields`.
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Self::Item>) -> Self::Item;
    /// Puts an item in its place and returns its key; `body` holds what concerns other tables.
    fn store(state: &mut State, item: Self::Item, body: &Map<String, Value>) -> Self::Key;
}

/// How a resource's items are made and changed.
struct Editor {
    create: fn(&Call<'_>) -> Answer,
    change: fn(&Call<'_>, &str) -> Answer,
}

/// Answers below the path of a resource that is read, and perhaps deleted from.
pub(super) fn read<R: Resource>(call: &Call<'_>, rest: &[&str]) -> Answered {
    serve::<R>(call, rest, None)
}

/// Answers below the path of a resource that is edited.
pub(super) fn edit<R: Editable>(call: &Call<'_>, rest: &[&str]) -> Answered {
    serve::<R>(call, rest, Some(Editor { create: create::<R>, change: change::<R> }))
}

fn serve<R: Resource>(call: &Call<'_>, rest: &[&str], editor: Option<Editor>) -> Answered {
    let methods = match (&editor, R::REMOVE) {
        (Some(_), _) => ITEM,
        (None, Some(_)) => "GET, DELETE, HEAD, OPTIONS",
        (None, None) => READ,
    };
    let action = |of_item: bool, name: &str| {
        R::ACTIONS.iter().find(|action| action.of_item == of_item && action.name == name)
    };
    match rest {
        [] => (table::<R>(call, None, editor), R::METHODS),
        [segment] => match action(false, segment) {
            Some(action) => (action.answer(call, ""), action.allow()),
            None => (table::<R>(call, Some(segment), editor), methods),
        },
        [segment, name] => match action(true, name) {
            Some(action) => (action.answer(call, segment), action.allow()),
            None => (Err(Refusal::NoSuchPath), ""),
        },
        _ => (Err(Refusal::NoSuchPath), ""),
    }
}

/// Answers for the list, or for the item that `segment` names.
fn table<R: Resource>(call: &Call<'_>, segment: Option<&str>, editor: Option<Editor>) -> Answer {
    call.superuser()?;
    match (segment, call.method, editor) {
        (None, &Method::GET | &Method::HEAD, _) => shown(list::<R>(call)),
        (None, &Method::POST, Some(editor)) => (editor.create)(call),
        (Some(segment), &Method::GET | &Method::HEAD, _) => {
            let state = call.shared.state();
            let key = R::find(&state, segment).ok_or(Refusal::Missing(R::MODEL))?;
            shown(show_key::<R>(call, &state, &key)?)
        }
        (Some(segment), &Method::PATCH | &Method::PUT, Some(editor)) => (editor.change)(call, segment),
        (Some(segment), &Method::DELETE, _) => {
            let remove = R::REMOVE.ok_or_else(|| Refusal::Method(call.method.clone()))?;
            let mut state = call.shared.state_mut();
            let key = R::find(&state, segment).ok_or(Refusal::Missing(R::MODEL))?;
            remove(&mut state, &key);
            done()
        }
        _ => Err(Refusal::Method(call.method.clone())),
    }
}

fn show_key<R: Resource>(call: &Call<'_>, state: &State, key: &R::Key) -> Result<Value, Refusal> {
    let item = R::item(state, key).ok_or(Refusal::Missing(R::MODEL))?;
    Ok(R::show(View { state, profile: &call.shared.profile }, item))
}

fn create<R: Editable>(call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let mut state = call.shared.state_mut();
    let mut fields = Fields::new(&body, false);
    let item = R::read(View { state: &state, profile: &call.shared.profile }, &mut fields, None);
    fields.finish()?;
    let key = R::store(&mut state, item, &body);
    Ok((StatusCode::CREATED, show_key::<R>(call, &state, &key)?))
}

fn change<R: Editable>(call: &Call<'_>, segment: &str) -> Answer {
    let body = call.object()?;
    let mut state = call.shared.state_mut();
    let key = R::find(&state, segment).ok_or(Refusal::Missing(R::MODEL))?;
    let old = R::item(&state, &key).cloned().ok_or(Refusal::Missing(R::MODEL))?;
    let mut fields = Fields::new(&body, call.method == Method::PATCH);
    let item = R::read(View { state: &state, profile: &call.shared.profile }, &mut fields, Some(&old));
    fields.finish()?;
    let key = R::store(&mut state, item, &body);
    shown(show_key::<R>(call, &state, &key)?)
}

/// A page of the items that pass the query's filters, in order.
fn list<R: Resource>(call: &Call<'_>) -> Value {
    let state = call.shared.state();
    let view = View { state: &state, profile: &call.shared.profile };
    let mut rows = R::rows(&state);
    rows.sort_by_cached_key(|item| R::order(item));
    let rows = rows.into_iter().map(|item| (item, R::show(view, item)));
    let found: Vec<_> = rows
        .filter(|(item, value)| {
            call.query.iter().all(|(name, wanted)| passes::<R>(view, item, value, name, wanted))
        })
        .map(|(_, value)| value)
        .collect();
    page(call, found)
}

/// Whether an item passes one filter. A parameter that names nothing of it is ignored, as the real API does.
fn passes<R: Resource>(view: View<'_>, item: &R::Item, value: &Value, name: &str, wanted: &str) -> bool {
    if name == "search" {
        let texts = ["name", "username", "slug", "email", "identifier"].iter();
        let mut texts = texts.filter_map(|member| value[*member].as_str());
        return texts.any(|text| text.to_lowercase().contains(&wanted.to_lowercase()));
    }
    if let Some(found) = R::filter(view, item, name) {
        return found == wanted;
    }
    let (member, any_case) = name.strip_suffix("__iexact").map_or((name, false), |member| (member, true));
    let Some(found) = value.get(member) else { return true };
    let found = match found {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => return true,
        other => other.to_string(),
    };
    if any_case { found.eq_ignore_ascii_case(wanted) } else { found == wanted }
}

fn page(call: &Call<'_>, found: Vec<Value>) -> Value {
    let number = |name: &str| call.param(name).and_then(|value| value.parse::<usize>().ok());
    let size = number("page_size").filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let count = found.len();
    let pages = count.div_ceil(size).max(1);
    let current = number("page").unwrap_or(1).clamp(1, pages);
    let start = (current - 1) * size;
    let results: Vec<_> = found.into_iter().skip(start).take(size).collect();
    json!({
        "pagination": {
            "next": if current < pages { current + 1 } else { 0 },
            "previous": current - 1,
            "count": count,
            "current": current,
            "total_pages": pages,
            "start_index": if results.is_empty() { 0 } else { start + 1 },
            "end_index": start + results.len(),
        },
        "results": results,
        "autocomplete": {},
    })
}
