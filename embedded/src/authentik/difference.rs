//! What an edit of the database is about.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use url::Url;
use uuid::Uuid;

use super::model::{Application, Outpost};
use super::state::State;
use super::table::Table;

impl State {
    /// Words in lower case: whoever asks for something that `before` has otherwise says one of them, by the path, a
    /// parameter, the body or the host, in whatever case. None where the two differ in something that is in force for every request.
    pub fn changed_words(&self, before: &Self) -> Option<BTreeSet<String>> {
        let same = changed(&self.groups, &before.groups).is_empty()
            && changed(&self.tokens, &before.tokens).is_empty()
            && self.same_keys(before);
        if !same {
            return None;
        }
        let mut words = BTreeSet::new();
        for pk in changed(&self.users, &before.users) {
            let users = [self, before].into_iter().filter_map(|state| state.users.get(&pk));
            words.extend(users.flat_map(|user| [user.username.clone(), user.email.clone()]));
        }
        for pk in changed(&self.flows, &before.flows) {
            for flow in [self, before].into_iter().filter_map(|state| state.flows.get(&pk)) {
                words.insert(flow.slug.clone());
                // One that asks nothing runs within the endpoint.
                words.extend((flow.designation == "authorization").then(|| "/authorize/".to_owned()));
            }
        }
        if self.worker_stopped != before.worker_stopped {
            let leave = self.flows.values().filter(|flow| flow.designation == "invalidation");
            words.extend(leave.map(|flow| flow.slug.clone()));
            words.extend(["/end-session/", "/sign_out"].map(str::to_owned));
        }
        let (mut providers, applications) =
            (self.changed_providers(before), self.changed_applications(before));
        for pk in changed(&self.outposts, &before.outposts) {
            match (self.outposts.get(&pk), before.outposts.get(&pk)) {
                (Some(now), Some(then)) if same_but_for_providers(now, then) => {
                    providers.extend(now.providers.iter().filter(|one| !then.providers.contains(one)));
                    providers.extend(then.providers.iter().filter(|one| !now.providers.contains(one)));
                }
                _ => drop(words.insert("/outpost.goauthentik.io/".to_owned())),
            }
        }
        for state in [self, before] {
            let found = applications.iter().filter_map(|pk| state.applications.get(pk));
            for Application { slug, provider, .. } in found {
                words.insert(slug.clone());
                providers.extend(provider);
            }
        }
        for state in [self, before] {
            for pk in &providers {
                words.extend(state.words_of(*pk)?);
            }
        }
        Some(words.into_iter().filter(|word| !word.is_empty()).map(|word| word.to_lowercase()).collect())
    }

    /// The providers that differ, by themselves or in a mapping that they use.
    fn changed_providers(&self, before: &Self) -> BTreeSet<u64> {
        let mappings = changed(&self.mappings, &before.mappings);
        let uses = |state: &Self| -> Vec<u64> {
            let using = state.providers.values();
            let using = using.filter(|one| one.property_mappings.iter().any(|pk| mappings.contains(pk)));
            using.map(|one| one.pk).collect()
        };
        let mut all = changed(&self.providers, &before.providers);
        all.extend([self, before].into_iter().flat_map(uses));
        all
    }

    /// The applications that differ, by themselves or in who is let in.
    fn changed_applications(&self, before: &Self) -> BTreeSet<Uuid> {
        let mut all = changed(&self.applications, &before.applications);
        for pk in changed(&self.bindings, &before.bindings) {
            let bindings = [self, before].into_iter().filter_map(|state| state.bindings.get(&pk));
            all.extend(bindings.map(|binding| binding.target));
        }
        all
    }

    /// What requests say that a provider answers. None for one that answers for the hosts of a whole domain.
    fn words_of(&self, provider: u64) -> Option<Vec<String>> {
        let Some(found) = self.providers.get(&provider) else { return Some(Vec::new()) };
        let mut words = vec![found.client_id.clone()];
        words.extend(self.application_of(provider).map(|application| application.slug.clone()));
        if let Some(proxy) = &found.proxy {
            if proxy.mode == "forward_domain" {
                return None;
            }
            let url = Url::parse(&proxy.external_host).ok()?;
            words.push(url.host_str()?.to_owned());
        }
        Some(words)
    }

    fn same_keys(&self, before: &Self) -> bool {
        self.key_pairs.len() == before.key_pairs.len()
            && self.key_pairs.iter().zip(before.key_pairs.iter()).all(|((pk, now), (of, then))| {
                pk == of && now.certificate == then.certificate && Arc::ptr_eq(&now.signing, &then.signing)
            })
    }
}

fn same_but_for_providers(one: &Outpost, other: &Outpost) -> bool {
    let one = Outpost { providers: other.providers.clone(), ..one.clone() };
    format!("{one:?}") == format!("{other:?}")
}

/// The keys of the rows that only one of the tables has, or that they have otherwise.
fn changed<K: Clone + Ord, V: Debug>(now: &Table<K, V>, before: &Table<K, V>) -> BTreeSet<K> {
    let text = |table: &Table<K, V>, key: &K| table.get(key).map(|row| format!("{row:?}"));
    now.keys().chain(before.keys()).filter(|key| text(now, key) != text(before, key)).cloned().collect()
}
