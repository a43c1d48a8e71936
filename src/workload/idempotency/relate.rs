//! Which group each effect belongs to, and everything in order of group.
//!
//! An effect is of the group of its key and scope. Where it says no scope and its key is used in several, its intent
//! tells, else the resource that it made, by the first answer to name that resource. An effect without a key is of its
//! intent, else again of the resource. What none of these tells goes to a pool: it is of one of some groups, and only
//! numbers can be compared there.
//!
//! Cost: linear. The tables of intents and resources are made only when an effect needs them.

use super::groups::{Grouper, Map, OfKey, Pool};
use super::{Asked, Attempt, Audit, Effect, Idempotency, Seen, content};
use crate::history::{Value, Values};

pub(super) fn relate(
    values: &Values,
    asked: Vec<Asked>,
    seen: Vec<Seen>,
    audit: Option<Audit>,
    synchronous: bool,
) -> Idempotency {
    let mut grouper = Grouper::default();
    let group_of: Vec<u32> =
        asked.iter().map(|asked| grouper.of_attempt(asked.key, asked.scope, asked.attempt.intent)).collect();
    let mut placing = Placing { grouper, asked: &asked, group_of: &group_of, index: None, pools: Vec::new() };
    let places: Vec<Place> = seen.iter().map(|seen| placing.place(seen)).collect();
    let Placing { grouper, pools, .. } = placing;
    let Grouper { mut groups, shared, .. } = grouper;

    let (order, starts) = by_bucket(group_of.iter().copied(), groups.len());
    for (group, start) in groups.iter_mut().zip(&starts) {
        group.first_attempt = *start;
    }
    let contents = content::of(values, &asked, &order, &starts);
    let mut attempts: Vec<Attempt> =
        order.iter().zip(contents).map(|(at, content)| Attempt { content, ..asked[*at as usize].attempt }).collect();
    for range in starts.windows(2) {
        let attempts = &mut attempts[range[0] as usize..range[1] as usize];
        // Operations come in order of invocation; only a completion without one can have begun earlier.
        if !attempts.is_sorted_by_key(|attempt| attempt.began) {
            attempts.sort_by_key(|attempt| attempt.began);
        }
    }

    let count = u32::try_from(groups.len()).unwrap_or(u32::MAX);
    let buckets = places.iter().map(|place| match place {
        Place::Group(group) => *group,
        Place::Pool(pool) => count + pool,
    });
    let (order, starts) = by_bucket(buckets, groups.len() + pools.len());
    let mut effects: Vec<Effect> = Vec::with_capacity(order.len());
    let mut repeated_effects = Vec::new();
    let mut ends = Vec::with_capacity(starts.len());
    let mut known: Map<Value, usize> = Map::default();
    for range in starts.windows(2) {
        let first = effects.len();
        known.clear();
        for at in &order[range[0] as usize..range[1] as usize] {
            let effect = seen[*at as usize].effect;
            let again = match effects.len() - first {
                few @ 0..=8 => effects[first..first + few].iter().position(|known| known.id == effect.id),
                _ => {
                    if known.is_empty() {
                        known.extend(effects[first..].iter().enumerate().map(|(at, effect)| (effect.id, at)));
                    }
                    known.get(&effect.id).copied()
                }
            };
            match again {
                None => {
                    if !known.is_empty() {
                        known.insert(effect.id, effects.len() - first);
                    }
                    effects.push(effect);
                }
                // A second record of one effect may say more of it.
                Some(at) => {
                    effects[first + at].complete(&effect);
                    repeated_effects.push((index(first + at), effect.position));
                }
            }
        }
        ends.push((index(first), index(effects.len())));
    }
    for (group, (first, _)) in groups.iter_mut().zip(&ends) {
        group.first_effect = *first;
    }
    let pools = pools
        .into_iter()
        .zip(ends.iter().skip(groups.len()))
        .map(|(groups, (first, end))| Pool { effects: *first..*end, groups })
        .collect();
    Idempotency { attempts, effects, groups, pools, shared, audit, synchronous, repeated_effects }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The items in order of bucket, those of one bucket in their own order, and where each bucket starts (one more at the
/// end).
fn by_bucket(buckets: impl Iterator<Item = u32> + Clone, count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; count + 1];
    for bucket in buckets.clone() {
        starts[bucket as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; starts[count] as usize];
    for (item, bucket) in (0u32..).zip(buckets) {
        let slot = &mut next[bucket as usize];
        order[*slot as usize] = item;
        *slot += 1;
    }
    (order, starts)
}

#[derive(Clone, Copy)]
enum Place {
    Group(u32),
    Pool(u32),
}

struct Placing<'a> {
    grouper: Grouper,
    asked: &'a [Asked],
    group_of: &'a [u32],
    index: Option<Index>,
    /// The groups of each pool.
    pools: Vec<Vec<u32>>,
}

/// What tells an effect's group where its key and scope don't. The first of each pair is the key, or null for any.
#[derive(Default)]
struct Index {
    /// The groups that name an intent.
    intents: Map<(Value, Value), Vec<u32>>,
    /// The group whose answer was the first to name a resource, and where that answer ended.
    resources: Map<(Value, Value), (u32, u32)>,
    /// The groups of keys that several scopes use.
    keys: Map<Value, Vec<u32>>,
    lone: Vec<u32>,
    pool_of: Map<(Value, Value), u32>,
}

impl Placing<'_> {
    fn place(&mut self, seen: &Seen) -> Place {
        let Seen { effect, key, scope } = *seen;
        if key.is_null() {
            if let Some(group) = self.grouper.known_intent(effect.intent) {
                return Place::Group(group);
            }
            return self.look_up(Value::NULL, &effect);
        }
        match self.grouper.of_effect(key, scope) {
            OfKey::One(group) => Place::Group(group),
            OfKey::Several => self.look_up(key, &effect),
        }
    }

    fn look_up(&mut self, key: Value, effect: &Effect) -> Place {
        let index = self.index.get_or_insert_with(|| Index::new(&self.grouper, self.asked, self.group_of));
        let named = index.intents.get(&(key, effect.intent)).filter(|_| !effect.intent.is_null());
        if let Some([group]) = named.map(Vec::as_slice) {
            return Place::Group(*group);
        }
        if !effect.resource.is_null()
            && let Some((_, group)) = index.resources.get(&(key, effect.resource))
        {
            return Place::Group(*group);
        }
        if named.is_none() && !effect.intent.is_null() && key.is_null() && index.lone.is_empty() {
            return Place::Group(self.grouper.of_intent(effect.intent));
        }
        let (pool, groups) = match (named, key.is_null()) {
            (Some(groups), _) => ((key, effect.intent), groups.as_slice()),
            (None, true) => ((key, Value::NULL), index.lone.as_slice()),
            (None, false) => ((key, Value::NULL), index.keys.get(&key).map_or(&[][..], Vec::as_slice)),
        };
        let next = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        let number = *index.pool_of.entry(pool).or_insert(next);
        if number == next {
            self.pools.push(groups.to_vec());
        }
        Place::Pool(number)
    }
}

impl Index {
    fn new(grouper: &Grouper, asked: &[Asked], group_of: &[u32]) -> Index {
        let mut index = Index::default();
        let mut met = vec![false; grouper.groups.len()];
        for (asked, &group) in asked.iter().zip(group_of) {
            let Asked { attempt, key, .. } = asked;
            let first = !std::mem::replace(&mut met[group as usize], true);
            if grouper.shared[group as usize] != u32::MAX && first {
                index.keys.entry(*key).or_default().push(group);
            }
            if key.is_null() && attempt.intent.is_null() {
                index.lone.push(group);
            }
            if !attempt.intent.is_null() {
                for key in [*key, Value::NULL] {
                    index.intents.entry((key, attempt.intent)).or_default().push(group);
                    if key.is_null() {
                        break;
                    }
                }
            }
            if attempt.claims() && !attempt.resource.is_null() {
                for key in [*key, Value::NULL] {
                    let first = index.resources.entry((key, attempt.resource)).or_insert((attempt.ended, group));
                    if attempt.ended < first.0 {
                        *first = (attempt.ended, group);
                    }
                    if key.is_null() {
                        break;
                    }
                }
            }
        }
        index.intents.values_mut().for_each(|groups| {
            groups.sort_unstable();
            groups.dedup();
        });
        index
    }
}
