//! The one masker of a run. It learns while the run goes on: what is captured, generated or sent.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use mizan_mask::{Masker, Refused};
use serde_json::Value;

#[derive(Clone)]
pub struct Masking {
    state: Arc<RwLock<State>>,
    hasher: RandomState,
}

struct State {
    masker: Masker,
    /// Grows with what is learned, so that streams notice.
    version: u64,
    /// Digests of what was learned: polling sends the same token again and again.
    learned: BTreeSet<u64>,
}

impl Masking {
    pub fn new(masker: Masker) -> Self {
        let state = State {
            masker,
            version: 0,
            learned: BTreeSet::new(),
        };
        Self {
            state: Arc::new(RwLock::new(state)),
            hasher: RandomState::new(),
        }
    }

    /// Declares a secret.
    pub fn learn(&self, value: &str, name: &str) {
        let digest = self.hasher.hash_one(value);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.learned.insert(digest) {
            state.masker = state.masker.to_builder().known(value, name).build();
            state.version += 1;
        }
    }

    /// Declares what the names of variables promise to be secret.
    pub fn learn_variables(&self, pairs: &[(String, String)]) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let news: Vec<_> = pairs
            .iter()
            .filter(|it| state.learned.insert(self.hasher.hash_one(it)))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if !news.is_empty() {
            state.masker = state.masker.to_builder().learn_from_env(news).build();
            state.version += 1;
        }
    }

    pub fn mask(&self, text: &str) -> String {
        self.current().0.mask(text).to_string()
    }

    pub fn refused(&self) -> Vec<Refused> {
        self.current().0.refused().to_vec()
    }

    pub fn current(&self) -> (Masker, u64) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        (state.masker.clone(), state.version)
    }

    /// Masks every text in a value.
    pub fn mask_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.mask(text),
            Value::Array(items) => items.iter_mut().for_each(|it| self.mask_json(it)),
            Value::Object(fields) => fields.values_mut().for_each(|it| self.mask_json(it)),
            _ => {}
        }
    }
}
