//! In which order a program wrote to its two streams and displayed results.

use std::collections::VecDeque;

/// Most spans that are kept of the beginning, and as many of the end. A program that changes streams with
/// each byte must not fill our memory.
const MOST: usize = 4096;

/// Something that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of standard output.
    Stdout,
    /// Bytes of standard error.
    Stderr,
    /// Results.
    Result,
    /// What comes next takes the place of all that came before.
    Cleared,
}

/// So many of one kind, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Of what.
    pub kind: Kind,
    /// How many bytes, results, or times.
    pub length: usize,
}

/// The order in which things came. Of a very long one the middle is only known by its totals.
#[derive(Debug, Default)]
pub struct Order {
    beginning: Vec<Span>,
    /// By kind: standard output, standard error, results, clearings.
    middle: [usize; 4],
    end: VecDeque<Span>,
}

impl Order {
    /// `length` of this kind came.
    pub fn note(&mut self, kind: Kind, length: usize) {
        if length == 0 {
            return;
        }
        let is_beginning = self.end.is_empty();
        let last = if is_beginning { self.beginning.last_mut() } else { self.end.back_mut() };
        if let Some(last) = last.filter(|last| last.kind == kind) {
            last.length += length;
            return;
        }
        let span = Span { kind, length };
        if is_beginning && self.beginning.len() < MOST {
            self.beginning.push(span);
            return;
        }
        self.end.push_back(span);
        if self.end.len() > MOST
            && let Some(Span { kind, length }) = self.end.pop_front()
        {
            self.middle[kind as usize] += length;
        }
    }

    /// All of it, from the first on.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let kinds = [Kind::Stdout, Kind::Stderr, Kind::Result, Kind::Cleared];
        let middle = kinds.into_iter().zip(self.middle);
        let middle = middle.map(|(kind, length)| Span { kind, length });
        let all = self.beginning.iter().copied().chain(middle).chain(self.end.iter().copied());
        all.filter(|span| span.length > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, MOST, Order, Span};

    #[test]
    fn neighbours_of_one_kind_are_one() {
        let mut order = Order::default();
        for (kind, length) in
            [(Kind::Stdout, 1), (Kind::Stdout, 2), (Kind::Stderr, 0), (Kind::Stdout, 3)]
        {
            order.note(kind, length);
        }
        let spans: Vec<Span> = order.spans().collect();
        assert_eq!(spans, [Span { kind: Kind::Stdout, length: 6 }]);
    }

    #[test]
    fn it_is_bounded_and_loses_nothing() {
        let mut order = Order::default();
        for number in 0..10 * MOST {
            order.note([Kind::Stdout, Kind::Stderr][number % 2], 1);
        }
        assert!(order.beginning.len() + order.end.len() <= 2 * MOST);
        let all: usize = order.spans().map(|span| span.length).sum();
        assert_eq!(all, 10 * MOST);
    }
}
