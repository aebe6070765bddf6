//! What an edit of the database is about.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::Provider;
use super::state::State;

impl State {
    /// The client ids and slugs of the OAuth2 clients whose providers `before` has otherwise, where the two differ in
    /// nothing else; none where they do. Mappings that came along count for the providers that use them.
    pub fn changed_clients(&self, before: &Self) -> Option<BTreeSet<String>> {
        if self.besides_providers(before) != before.besides_providers(before) || !self.same_keys(before) {
            return None;
        }
        let pks: BTreeSet<u64> = self.providers.keys().chain(before.providers.keys()).copied().collect();
        let mut names = BTreeSet::new();
        for pk in pks {
            let (now, then) = (self.providers.get(&pk)?, before.providers.get(&pk)?);
            if text(now) == text(then) {
                continue;
            }
            if now.proxy.is_some() || then.proxy.is_some() {
                return None;
            }
            names.extend([now.client_id.clone(), then.client_id.clone()]);
            names.extend(self.application_of(pk).map(|application| application.slug.clone()));
        }
        Some(names)
    }

    /// Everything that an administrator sets up but providers, keys, and the mappings that `before` has not.
    fn besides_providers(&self, before: &Self) -> String {
        let mappings: Vec<_> =
            self.mappings.iter().filter(|(pk, _)| before.mappings.contains_key(*pk)).collect();
        let people = (&*self.groups, &*self.users, &*self.tokens);
        let setup = (&*self.flows, &*self.applications, &*self.bindings, &*self.outposts);
        format!("{people:?} {setup:?} {mappings:?} {}", self.worker_stopped)
    }

    fn same_keys(&self, before: &Self) -> bool {
        self.key_pairs.len() == before.key_pairs.len()
            && self.key_pairs.iter().zip(before.key_pairs.iter()).all(|((pk, now), (of, then))| {
                pk == of && now.certificate == then.certificate && Arc::ptr_eq(&now.signing, &then.signing)
            })
    }
}

fn text(provider: &Provider) -> String {
    format!("{provider:?}")
}
