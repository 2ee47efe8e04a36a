//! Things that belong together, directly or over others (union-find).

/// Disjoint sets of the numbers below a bound.
#[derive(Debug)]
pub(crate) struct Sets(Vec<usize>);

impl Sets {
    pub(crate) fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    pub(crate) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The smaller number leads, so that a set's name does not depend on the order of joining.
        self.0[one.max(other)] = one.min(other);
    }

    pub(crate) fn root(&mut self, mut it: usize) -> usize {
        while self.0[it] != it {
            self.0[it] = self.0[self.0[it]];
            it = self.0[it];
        }
        it
    }
}
