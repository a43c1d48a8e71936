//! Which attempts belong together: one idempotency key within its scope, else one intent, else nothing but itself.

use std::ops::Range;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::history::Value;
use crate::workload::numbers::Numbers;

pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What makes the attempts of a group one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// An idempotency key, unique within its scope (null where none was given).
    Key {
        /// The scope.
        scope: Value,
        /// The key.
        key: Value,
    },
    /// No key, and one intent of the client's.
    Intent(Value),
    /// Neither: an attempt by itself.
    Lone,
}

/// Attempts and effects that belong together. Their ranges begin here and end where the next group's begin.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What makes them one.
    pub identity: Identity,
    /// The first attempt.
    pub first_attempt: u32,
    /// The first effect.
    pub first_effect: u32,
}

/// Effects of which only this is known: each belongs to one of these groups.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The effects, within [`super::Idempotency::effects`].
    pub effects: Range<u32>,
    /// The groups, each with at least one attempt.
    pub groups: Vec<u32>,
}

/// Gives groups their numbers.
#[derive(Default)]
pub(super) struct Grouper {
    pub(super) groups: Vec<Group>,
    pub(super) shared: Vec<u32>,
    /// The key's first group, and whether its key has several.
    keys: Numbers,
    scoped: Map<(Value, Value), u32>,
    intents: Numbers,
    shared_keys: u32,
}

impl Grouper {
    /// The group of an attempt.
    pub(super) fn of_attempt(&mut self, key: Value, scope: Value, intent: Value) -> u32 {
        if key.is_null() {
            return match intent.is_null() {
                true => self.add(Identity::Lone),
                false => self.of_intent(intent),
            };
        }
        let next = self.number();
        let first = self.keys.or_insert(key, next);
        let identity = Identity::Key { scope, key };
        if first == next {
            return self.add(identity);
        }
        if self.groups[first as usize].identity == identity {
            return first;
        }
        match self.scoped.entry((scope, key)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                vacant.insert(next);
                self.add(identity);
                if self.shared[first as usize] == u32::MAX {
                    self.shared[first as usize] = self.shared_keys;
                    self.shared_keys += 1;
                }
                self.shared[next as usize] = self.shared[first as usize];
                next
            }
        }
    }

    /// The group of those without a key that name this intent.
    pub(super) fn of_intent(&mut self, intent: Value) -> u32 {
        let next = self.number();
        let group = self.intents.or_insert(intent, next);
        if group == next { self.add(Identity::Intent(intent)) } else { group }
    }

    /// The group that this intent has already.
    pub(super) fn known_intent(&self, intent: Value) -> Option<u32> {
        self.intents.get(intent)
    }

    /// The groups that an effect with this key and this scope can be of. Called when every attempt has its group.
    pub(super) fn of_effect(&mut self, key: Value, scope: Value) -> OfKey {
        let Some(first) = self.keys.get(key) else {
            let group = self.number();
            self.keys.or_insert(key, group);
            return OfKey::One(self.add(Identity::Key { scope, key }));
        };
        let shared = self.shared[first as usize] != u32::MAX;
        let Identity::Key { scope: known, .. } = self.groups[first as usize].identity else {
            return OfKey::One(first);
        };
        match (scope.is_null(), shared) {
            (true, true) => OfKey::Several,
            (true, false) => OfKey::One(first),
            // The attempts say no scope: the effect's scope is news, no contradiction.
            (false, false) if known == scope || known.is_null() => OfKey::One(first),
            (false, _) if known == scope => OfKey::One(first),
            (false, _) => {
                let next = self.number();
                let group = *self.scoped.entry((scope, key)).or_insert(next);
                OfKey::One(if group == next { self.add(Identity::Key { scope, key }) } else { group })
            }
        }
    }

    fn number(&self) -> u32 {
        u32::try_from(self.groups.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, identity: Identity) -> u32 {
        let number = self.number();
        self.groups.push(Group { identity, first_attempt: 0, first_effect: 0 });
        self.shared.push(u32::MAX);
        number
    }
}

/// What a key alone says of an effect's group.
pub(super) enum OfKey {
    /// It is this one.
    One(u32),
    /// The key is used in several scopes, and the effect does not say which.
    Several,
}
