//! The events of one command, numbered from 1, for any number of followers.
//!
//! The log never waits for anybody: it is bounded in bytes, and the oldest events make way. A follower sees each
//! number once and in order, or a jump over those that had made way. Output that nobody has taken yet is gathered
//! into pieces, so that many small writes are few events.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::events::{Batch, End, ProcessEvent};
use super::room::{Room, Taken};
use crate::execution::output::complete;
use crate::execution::stream::Stream;

/// Most bytes of one event of output.
pub(super) const PIECE: usize = 16 << 10;
/// Bytes that each log has for itself: as much as a terminal keeps for who comes back.
pub(super) const OWN: usize = 256 << 10;
/// Most bytes of one log, if the session has room: both streams of an ordinary command from the first byte on.
const MOST: usize = 3 << 20;
/// What an event takes beside its bytes.
const OVERHEAD: usize = 96;

/// The log of one command.
pub(super) struct Log {
    state: Mutex<State>,
    /// Bytes of events.
    most: usize,
    changed: watch::Sender<()>,
}

struct State {
    events: VecDeque<ProcessEvent>,
    /// The number of the first of `events`, or of the next event when there are none.
    first: u64,
    /// The number up to which somebody has read: those events do not change any more.
    seen: u64,
    bytes: usize,
    /// For those beyond [`OWN`].
    extra: Taken,
    totals: [u64; 2],
    /// Of each stream, the beginning of a character whose rest has not come.
    begun: [Vec<u8>; 2],
    end: Option<End>,
}

impl Log {
    /// One that keeps what it can, or, of a terminal, what one who comes back may want.
    pub(super) fn new(room: &Room, is_terminal: bool) -> Self {
        let state = State {
            events: VecDeque::new(),
            first: 1,
            seen: 0,
            bytes: 0,
            extra: room.none(),
            totals: [0; 2],
            begun: [const { Vec::new() }; 2],
            end: None,
        };
        let most = if is_terminal { OWN + PIECE } else { MOST };
        Self { state: Mutex::new(state), most, changed: watch::Sender::new(()) }
    }

    /// Adds the first event.
    pub(super) fn started(&self, event: ProcessEvent) {
        self.state().push(event, self.most);
        self.changed.send_replace(());
    }

    /// Adds what was written to `stream`: at most [`PIECE`] bytes. An event ends with a whole character, so that who
    /// begins at any number reads the same.
    pub(super) fn written(&self, stream: Stream, data: &[u8]) {
        let mut state = self.state();
        let mut whole = std::mem::take(&mut state.begun[stream as usize]);
        let offset = state.totals[stream as usize] - whole.len() as u64;
        state.totals[stream as usize] += data.len() as u64;
        whole.extend_from_slice(data);
        state.begun[stream as usize] = whole.split_off(complete(&whole));
        state.add(stream, offset, whole, self.most);
        drop(state);
        self.changed.send_replace(());
    }

    /// Adds the last event.
    pub(super) fn ended(&self, end: End) {
        let mut state = self.state();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(&mut state.begun[stream as usize]);
            let offset = state.totals[stream as usize] - rest.len() as u64;
            state.add(stream, offset, rest, self.most);
        }
        state.push(ProcessEvent::Ended(end), self.most);
        state.end = Some(end);
        drop(state);
        self.changed.send_replace(());
    }

    /// How it ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        self.state().end
    }

    /// Bytes that were written to both streams so far.
    pub(super) fn totals(&self) -> [u64; 2] {
        self.state().totals
    }

    /// The events after number `after`, up to `most` bytes of output, and at least one if there is one.
    pub(super) fn read(&self, after: u64, most: usize) -> Batch {
        let mut state = self.state();
        let from = after.saturating_add(1).max(state.first);
        let skipped = usize::try_from(from - state.first).unwrap_or(usize::MAX);
        let (mut events, mut bytes) = (Vec::new(), 0);
        for (number, event) in (from..).zip(state.events.iter().skip(skipped)) {
            bytes += length(event);
            if bytes > most && !events.is_empty() {
                break;
            }
            events.push((number, event.clone()));
        }
        let last = events.last().map_or(after, |(number, _)| *number);
        state.seen = state.seen.max(last.min(state.last()));
        let over = state.end.is_some() && last >= state.last();
        Batch { events, over }
    }

    /// The same, when there is something; with `until_end`, when it has ended or there are so many bytes.
    pub(super) async fn wait(&self, after: u64, most: usize, until_end: bool) -> Batch {
        let mut changed = self.changed.subscribe();
        loop {
            let ready = {
                let state = self.state();
                let is_new = state.end.is_some() || state.last() > after;
                is_new && (!until_end || state.end.is_some() || state.bytes_after(after, most))
            };
            if ready {
                return self.read(after, most);
            }
            // The sender lives as long as we do.
            let _ = changed.changed().await;
        }
    }

    /// Completes when it has ended.
    pub(super) async fn over(&self) -> End {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            let _ = changed.changed().await;
        }
    }

    /// What is there of standard output from byte `offset` on, up to `most` bytes, and where it begins.
    pub(super) fn output_from(&self, offset: u64, most: usize) -> (u64, Vec<u8>) {
        let state = self.state();
        let (mut begins, mut found) = (None, Vec::new());
        for event in &state.events {
            let ProcessEvent::Output { stream: Stream::Stdout, offset: first, data } = event else {
                continue;
            };
            let skip = usize::try_from(offset.saturating_sub(*first)).unwrap_or(usize::MAX);
            let Some(data) = data.get(skip..).filter(|data| !data.is_empty()) else {
                continue;
            };
            begins.get_or_insert(first + skip as u64);
            found.extend_from_slice(&data[..data.len().min(most - found.len())]);
            if found.len() == most {
                break;
            }
        }
        let begun = &state.begun[Stream::Stdout as usize];
        let at = state.totals[0] - begun.len() as u64;
        let goes_on = begins.is_none_or(|begins| begins + found.len() as u64 == at);
        let skip = usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
        if let Some(begun) = begun.get(skip..).filter(|begun| goes_on && !begun.is_empty()) {
            begins.get_or_insert(at + skip as u64);
            found.extend_from_slice(&begun[..begun.len().min(most - found.len())]);
        }
        (begins.unwrap_or_else(|| offset.min(state.totals[0])), found)
    }

    /// Sees changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Gives back what it has beyond its own part.
    pub(super) fn shrink(&self) {
        self.state().make_way(0, OWN);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of the last event; 0 before the first.
    fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// Adds output, if there is some.
    fn add(&mut self, stream: Stream, offset: u64, data: Vec<u8>, most: usize) {
        if data.is_empty() {
            return;
        }
        if self.joins(stream, &data) {
            self.make_way(0, most);
        } else {
            self.push(ProcessEvent::Output { stream, offset, data }, most);
        }
    }

    /// Puts `data` behind the last event, if nobody has seen that, and it goes on there.
    fn joins(&mut self, stream: Stream, data: &[u8]) -> bool {
        let is_new = self.last() > self.seen;
        match self.events.back_mut() {
            Some(ProcessEvent::Output { stream: same, offset: _, data: there })
                if is_new && *same == stream && there.len() + data.len() <= PIECE =>
            {
                let before = there.capacity();
                there.extend_from_slice(data);
                self.bytes += there.capacity() - before;
            }
            _ => return false,
        }
        true
    }

    fn push(&mut self, event: ProcessEvent, most: usize) {
        let size = size(&event);
        self.make_way(size, most);
        self.bytes += size;
        self.events.push_back(event);
    }

    /// Has the oldest make way, so that there is room for `size` bytes.
    fn make_way(&mut self, size: usize, most: usize) {
        loop {
            let wanted = self.bytes + size;
            if wanted <= most && self.extra.resize(wanted.saturating_sub(OWN)) {
                return;
            }
            let Some(oldest) = self.events.pop_front() else {
                return;
            };
            self.bytes -= self::size(&oldest);
            self.first += 1;
        }
    }

    /// Whether there are so many bytes of output after number `after`.
    fn bytes_after(&self, after: u64, wanted: usize) -> bool {
        let skipped = after.saturating_add(1).saturating_sub(self.first);
        let later = self.events.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
        let mut bytes = 0;
        later.map(length).any(|length| {
            bytes += length;
            bytes >= wanted
        })
    }
}

/// Bytes of output.
fn length(event: &ProcessEvent) -> usize {
    match event {
        ProcessEvent::Output { data, .. } => data.len(),
        ProcessEvent::Started(_) | ProcessEvent::Ended(_) => 0,
    }
}

/// What it takes in memory.
fn size(event: &ProcessEvent) -> usize {
    OVERHEAD
        + match event {
            ProcessEvent::Output { data, .. } => data.capacity(),
            ProcessEvent::Started(_) | ProcessEvent::Ended(_) => 0,
        }
}

#[cfg(test)]
mod tests;
