//! The part of an object's prefix tree that departs from its longest list: reads that contradict it.
//!
//! Every list off the path is looked at once, however many reads share it: the departing lists of an object are nodes of
//! one tree, walked once in depth, with the elements of the branch at hand. Cost: linear in these nodes.

use hashbrown::HashMap;

use super::versions::{ASTRAY, NOBODY, UNOBSERVED};
use crate::history::{Status, Value, Values};
use crate::workload::list_append::ListAppend;

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A list that is no prefix of the longest one.
#[derive(Debug)]
struct Node {
    element: Value,
    /// Its parent off the path, if that is there too.
    parent: Option<u32>,
    /// Who appended the element.
    append: Option<u32>,
    /// How many elements it shares with the longest list.
    joins: usize,
    aborted: Option<u32>,
    thin: Option<Value>,
    repeated: Option<Value>,
    /// A later append of the last element's transaction, where the list lacks it.
    later: Option<u32>,
}

/// The departing lists of one object.
#[derive(Debug)]
pub(super) struct Strays<'a> {
    typed: &'a ListAppend<'a>,
    values: &'a Values,
    key: u32,
    path: Vec<Value>,
    nodes: Vec<Node>,
    by_list: SeededMap<Value, u32>,
}

impl<'a> Strays<'a> {
    /// `path`: the prefixes of the longest list, by length.
    pub(super) fn new(typed: &'a ListAppend<'a>, key: u32, path: &[Value]) -> Strays<'a> {
        let values = typed.history().values();
        Strays { typed, values, key, path: path.to_vec(), nodes: Vec::new(), by_list: SeededMap::default() }
    }

    /// A list that was read and is not on the path.
    pub(super) fn add(&mut self, list: Value) {
        let mut chain = Vec::new();
        let mut at = list;
        while let Some((parent, element)) = self.values.split_last(at) {
            if self.by_list.contains_key(&at) || self.path.get(self.values.len(at)) == Some(&at) {
                break;
            }
            chain.push((at, element));
            at = parent;
        }
        let mut parent = self.by_list.get(&at).copied();
        let joins = parent.map_or(self.values.len(at), |parent| self.nodes[parent as usize].joins);
        for (list, element) in chain.into_iter().rev() {
            let append = self.typed.append_of(self.key, element);
            let node = Node { element, parent, append, joins, aborted: None, thin: None, repeated: None, later: None };
            let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            self.nodes.push(node);
            self.by_list.insert(list, id);
            parent = Some(id);
        }
    }

    /// Finds what each departing list shows, and marks the appends that only these show. `positions`: of the object's
    /// appends. `elements`: of the longest list.
    pub(super) fn judge(&mut self, positions: &mut [u32], elements: &[Value]) {
        let mut first_at: SeededMap<Value, usize> = SeededMap::default();
        for (at, element) in elements.iter().enumerate() {
            first_at.entry(*element).or_insert(at);
        }
        let mut branch: SeededMap<Value, u32> = SeededMap::default();
        for (id, entering) in self.in_depth() {
            let node = &self.nodes[id as usize];
            let element = node.element;
            if !entering {
                if let Some(count) = branch.get_mut(&element) {
                    *count -= 1;
                }
                continue;
            }
            let above = node.parent.map(|parent| &self.nodes[parent as usize]);
            let shown = |element: Value| {
                branch.get(&element).is_some_and(|count| *count > 0)
                    || first_at.get(&element).is_some_and(|at| *at < node.joins)
            };
            let before = shown(element);
            let later = node.append.and_then(|place| self.next_of(place)).filter(|later| !shown(self.element(*later)));
            let failed = node.append.filter(|place| self.status_of(*place) == Status::Fail);
            let repeated = above.and_then(|above| above.repeated).or(before.then_some(element));
            let thin = above.and_then(|above| above.thin).or(node.append.is_none().then_some(element));
            let aborted = above.and_then(|above| above.aborted).or(failed);
            if let Some(place) = node.append {
                let position = &mut positions[place as usize - self.typed.appends_of(self.key).start];
                if *position == UNOBSERVED {
                    *position = ASTRAY;
                }
            }
            let node = &mut self.nodes[id as usize];
            (node.repeated, node.thin, node.aborted, node.later) = (repeated, thin, aborted, later);
            *branch.entry(element).or_insert(0) += 1;
        }
    }

    /// All nodes in depth first order: entered (true), and left (false).
    fn in_depth(&self) -> Vec<(u32, bool)> {
        // Nodes come after their parents: linking them backwards gives each its children in order.
        let (mut child, mut sibling) = (vec![NOBODY; self.nodes.len()], vec![NOBODY; self.nodes.len()]);
        let mut roots = Vec::new();
        for id in (0..self.nodes.len()).rev() {
            let number = u32::try_from(id).unwrap_or(NOBODY);
            match self.nodes[id].parent {
                Some(parent) => sibling[id] = std::mem::replace(&mut child[parent as usize], number),
                None => roots.push(number),
            }
        }
        let mut order = Vec::with_capacity(2 * self.nodes.len());
        let mut stack: Vec<(u32, bool)> = roots.into_iter().map(|root| (root, true)).collect();
        while let Some((id, entering)) = stack.pop() {
            order.push((id, entering));
            if entering {
                stack.push((id, false));
                let mut next = child[id as usize];
                while next != NOBODY {
                    stack.push((next, true));
                    next = sibling[next as usize];
                }
            }
        }
        order
    }

    /// The next append of the same transaction to the object.
    fn next_of(&self, place: u32) -> Option<u32> {
        let next = place + 1;
        let appends = self.typed.appends();
        let own = self.typed.appends_of(self.key).contains(&(next as usize))
            && appends[next as usize].transaction == appends[place as usize].transaction;
        own.then_some(next)
    }

    fn element(&self, place: u32) -> Value {
        self.typed.appends()[place as usize].element
    }

    fn status_of(&self, place: u32) -> Status {
        self.typed.status(self.typed.appends()[place as usize].transaction)
    }

    /// Transactions of unknown outcome that departing lists show.
    pub(super) fn proven(&self) -> impl Iterator<Item = u32> {
        let shown = self.nodes.iter().filter_map(|node| node.append);
        shown
            .filter(|place| self.status_of(*place) == Status::Info)
            .map(|place| self.typed.appends()[place as usize].transaction)
    }

    fn node(&self, list: Value) -> Option<&Node> {
        self.by_list.get(&list).map(|id| &self.nodes[*id as usize])
    }

    /// How many elements a list shares with the longest one.
    pub(super) fn joins(&self, list: Value) -> usize {
        self.node(list).map_or(0, |node| node.joins)
    }

    /// The append of a list's last element, and a later one of its transaction that the list lacks, where there is one.
    pub(super) fn half_done(&self, list: Value) -> Option<(u32, u32)> {
        let node = self.node(list)?;
        node.append.zip(node.later)
    }

    /// The first aborted append that a list shows after it departs.
    pub(super) fn aborted(&self, list: Value) -> Option<u32> {
        self.node(list).and_then(|node| node.aborted)
    }

    /// The first element from nowhere after it departs.
    pub(super) fn thin(&self, list: Value) -> Option<Value> {
        self.node(list).and_then(|node| node.thin)
    }

    /// The first element after it departs that was there before.
    pub(super) fn repeated(&self, list: Value) -> Option<Value> {
        self.node(list).and_then(|node| node.repeated)
    }
}
