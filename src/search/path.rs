//! How configurations came about: what each took beside what is taken without a choice, and which one it came from. An order
//! is read off the steps to its last configuration.

/// What a step took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Took {
    /// Nothing yet: an order that begins in this state.
    Beginning(u32),
    /// The operation that completes at this level.
    Sure(u32),
    /// The same, as one that came just before the last overwriting operation, where nobody saw it.
    Hidden(u32),
    /// A crashed operation of the class at this place.
    Crashed(u32),
}

/// A step, after the one before it.
#[derive(Clone, Copy)]
struct Step {
    before: u32,
    took: Took,
    /// How many crashed operations were taken up to here.
    crashed: u32,
}

/// No step before the first.
const NONE: u32 = u32::MAX;

/// The steps to all configurations, as a tree. A step is a number; those after it are higher.
#[derive(Default)]
pub(super) struct Paths {
    steps: Vec<Step>,
    /// How many were left when it was last cleared.
    kept: usize,
}

/// Fewer steps than these are not worth clearing.
const FEW: usize = 1 << 16;

impl Paths {
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.kept = 0;
    }

    /// An order that begins in this state.
    pub(super) fn begin(&mut self, state: u32) -> u32 {
        self.push(Step { before: NONE, took: Took::Beginning(state), crashed: 0 })
    }

    /// One step more.
    pub(super) fn then(&mut self, before: u32, took: Took) -> u32 {
        let crashed = self.crashed(before) + u32::from(matches!(took, Took::Crashed(_)));
        self.push(Step { before, took, crashed })
    }

    fn push(&mut self, step: Step) -> u32 {
        self.steps.push(step);
        // So many fit into no memory.
        u32::try_from(self.steps.len() - 1).unwrap_or(NONE)
    }

    /// How many crashed operations were taken up to this step.
    pub(super) fn crashed(&self, step: u32) -> u32 {
        self.steps.get(step as usize).map_or(0, |step| step.crashed)
    }

    /// All that was taken up to this step, in order.
    pub(super) fn up_to(&self, step: u32) -> Vec<Took> {
        let mut all = Vec::new();
        let mut at = step;
        while let Some(step) = self.steps.get(at as usize) {
            all.push(step.took);
            at = step.before;
        }
        all.reverse();
        all
    }

    /// Whether there are so many that it is worth looking which are needed.
    pub(super) fn is_full(&self) -> bool {
        self.steps.len() > 2 * self.kept + FEW
    }

    /// Keeps the steps that lead to these, and numbers them anew.
    pub(super) fn retain<'a>(&mut self, live: impl Iterator<Item = &'a mut u32> + 'a) {
        let live: Vec<&mut u32> = live.collect();
        let mut number = vec![NONE; self.steps.len()];
        for step in &live {
            number[**step as usize] = 0;
        }
        for at in (0..self.steps.len()).rev() {
            if number[at] != NONE && self.steps[at].before != NONE {
                number[self.steps[at].before as usize] = 0;
            }
        }
        let mut kept = 0u32;
        for at in 0..self.steps.len() {
            if number[at] != NONE {
                let mut step = self.steps[at];
                if step.before != NONE {
                    step.before = number[step.before as usize];
                }
                self.steps[kept as usize] = step;
                number[at] = kept;
                kept += 1;
            }
        }
        self.steps.truncate(kept as usize);
        self.kept = self.steps.len();
        for step in live {
            *step = number[*step as usize];
        }
    }

    /// How many bytes they occupy.
    pub(super) fn bytes(&self) -> usize {
        self.steps.capacity() * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what leads to a step is told in order, and is the same after what nobody needs was cleared.
    #[test]
    fn what_is_needed_is_kept() {
        let mut paths = Paths::default();
        let first = paths.begin(7);
        let dropped = paths.then(first, Took::Sure(1));
        let mut kept = paths.then(first, Took::Crashed(2));
        paths.then(dropped, Took::Sure(3));
        kept = paths.then(kept, Took::Sure(4));
        let told = [Took::Beginning(7), Took::Crashed(2), Took::Sure(4)];
        assert_eq!((paths.up_to(kept), paths.crashed(kept)), (told.to_vec(), 1));
        paths.retain([&mut kept].into_iter());
        assert_eq!((paths.up_to(kept), paths.crashed(kept), kept), (told.to_vec(), 1, 2));
        let then = paths.then(kept, Took::Crashed(0));
        assert_eq!(paths.crashed(then), 2);
    }
}
