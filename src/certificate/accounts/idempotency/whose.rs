//! Whose an attempt is, and an effect.

use std::collections::{HashMap, HashSet};

use super::super::ledger::{Act, Ledger, json};
use crate::history::{Value, Values};

/// What attempts have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Identity {
    /// An idempotency key, in its scope (null where none is said).
    Key { key: Value, scope: Value },
    /// An intent, without a key.
    Intent(Value),
    /// Nothing: an attempt by itself.
    Alone(u32),
}

impl Identity {
    pub(super) fn of(act: &Act<'_>) -> Identity {
        match (act.key, intent(act)) {
            (key, _) if !key.is_null() => Identity::Key { key, scope: asked(act, "scope") },
            (_, intent) if !intent.is_null() => Identity::Intent(intent),
            _ => Identity::Alone(act.position),
        }
    }

    /// In words, as its account is named.
    pub(super) fn name(self, values: &Values) -> String {
        match self {
            Identity::Key { key, scope } if scope.is_null() => json(values, key),
            Identity::Key { key, scope } => format!("{} in {}", json(values, key), json(values, scope)),
            Identity::Intent(intent) => format!("intent {}", json(values, intent)),
            Identity::Alone(_) => "an attempt without a key".to_owned(),
        }
    }
}

fn asked(act: &Act<'_>, name: &str) -> Value {
    act.within(if act.begins { act.argument } else { act.result }, name)
}

/// The intent that an attempt names, or null.
pub(super) fn intent(act: &Act<'_>) -> Value {
    asked(act, "intent")
}

/// The resource that an answer names, or null.
pub(super) fn named(act: &Act<'_>) -> Value {
    let resource = act.within(act.result, "resource");
    if resource.is_null() { act.within(act.within(act.result, "response"), "id") } else { resource }
}

/// Whether an answer with this status claims an effect.
pub(super) fn claims(act: &Act<'_>, code: i64) -> bool {
    act.ok() && (code == 0 || code / 100 == 2)
}

/// What tells whose an effect is. The first of each pair is the key, or null for any.
pub(super) struct Whose {
    /// The scopes of each key: one, or several.
    scopes: HashMap<Value, Option<Value>>,
    scoped: HashSet<(Value, Value)>,
    /// The only identity that names an intent; none where several do.
    intents: HashMap<(Value, Value), Option<Identity>>,
    /// Where the first answer ended that names a resource, and whose it is.
    resources: HashMap<(Value, Value), (u32, Identity)>,
    keyless: HashSet<Value>,
    /// For each key, whose effect made a resource.
    made: HashMap<(Value, Value), Identity>,
}

impl Whose {
    pub(super) fn of(ledger: &Ledger<'_>) -> Whose {
        let mut whose = Whose {
            scopes: HashMap::new(),
            scoped: HashSet::new(),
            intents: HashMap::new(),
            resources: HashMap::new(),
            keyless: HashSet::new(),
            made: HashMap::new(),
        };
        for act in ledger.acts.iter().filter(|act| act.f == "request") {
            let (identity, intent) = (Identity::of(act), intent(act));
            if let Identity::Key { key, scope } = identity {
                let known = whose.scopes.entry(key).or_insert(Some(scope));
                *known = known.filter(|known| *known == scope);
                whose.scoped.insert((key, scope));
            } else if !intent.is_null() {
                whose.keyless.insert(intent);
            }
            let code = ledger.values.as_int(act.within(act.result, "status")).unwrap_or(0);
            let resource = if claims(act, code) { named(act) } else { Value::NULL };
            for key in [act.key, Value::NULL] {
                if !intent.is_null() {
                    let known = whose.intents.entry((key, intent)).or_insert(Some(identity));
                    *known = known.filter(|known| *known == identity);
                }
                if !resource.is_null() {
                    let first = whose.resources.entry((key, resource)).or_insert((act.ended, identity));
                    *first = (*first).min((act.ended, identity));
                }
            }
        }
        let effects = || ledger.acts.iter().filter(|act| act.f == "effect" && !act.said("resource").is_null());
        for (act, identity) in effects().filter_map(|act| Some((act, whose.is(act)?))).collect::<Vec<_>>() {
            if let Identity::Key { key, .. } = identity {
                whose.made.entry((key, act.said("resource"))).or_insert(identity);
            }
        }
        whose
    }

    /// Whose an effect is, where that is told.
    pub(super) fn is(&self, effect: &Act<'_>) -> Option<Identity> {
        let (key, intent, scope) = (effect.key, effect.said("intent"), effect.said("scope"));
        if key.is_null() {
            let own = self.keyless.contains(&intent).then_some(Identity::Intent(intent));
            return own.or_else(|| self.told(effect, intent));
        }
        match self.scopes.get(&key)? {
            // One scope: an effect that names another is nobody's, unless the attempts say none.
            Some(only) if scope.is_null() || only.is_null() || *only == scope => {
                Some(Identity::Key { key, scope: *only })
            }
            Some(_) => None,
            None if scope.is_null() => self.told(effect, intent),
            None => self.scoped.contains(&(key, scope)).then_some(Identity::Key { key, scope }),
        }
    }

    fn told(&self, effect: &Act<'_>, intent: Value) -> Option<Identity> {
        let named = self.intents.get(&(effect.key, intent)).filter(|_| !intent.is_null()).copied().flatten();
        let resource = effect.said("resource");
        let made = self.resources.get(&(effect.key, resource)).filter(|_| !resource.is_null());
        named.or(made.map(|(_, identity)| *identity))
    }

    /// Whether a resource was made for the same key in another scope: by an effect, or else by the first answer that names it.
    pub(super) fn made_elsewhere(&self, own: Identity, resource: Value) -> bool {
        let Identity::Key { key, .. } = own else { return false };
        let first = || self.resources.get(&(key, resource)).map(|(_, identity)| identity);
        self.made.get(&(key, resource)).or_else(first).is_some_and(|identity| *identity != own)
    }
}
