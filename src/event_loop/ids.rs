//! Ids: what the application holds in place of pointers.
//!
//! An id is `kind (4 bits) | generation (28 bits) | slot (32 bits)`. The slot names an entry of one process-wide
//! table, whose chunks are made on demand and never moved or freed, so that any number, however made up, can be
//! looked up safely from any thread. A slot that is used again gets the next generation, so that no id returns
//! in a process; a slot without generations left is not used again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

pub use super::fork::watch_forks;
pub use crate::net::gate::{fork_generation, with_global_lock};

const KIND_SHIFT: u32 = 60;
const GENERATION_SHIFT: u32 = 32;
const GENERATION_BITS: u32 = KIND_SHIFT - GENERATION_SHIFT;
const CHUNK_BITS: u32 = 12;
const CHUNK: u32 = 1 << CHUNK_BITS;
const CHUNKS: usize = 1024;
const SLOTS: u32 = CHUNK * CHUNKS as u32;

static TABLE: Table<GENERATION_BITS> = Table::new();

/// What an id stands for.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// An event loop.
    Loop = 1,
    /// A listening socket.
    Listener = 2,
    /// A WebSocket connection.
    Conn = 3,
    /// An HTTP request that waits for its answer.
    Request = 4,
    /// A timer.
    Timer = 5,
}

/// What every thread may know of an id.
///
/// A thread other than the owner's must expect that the id dies between its look-up and its next step, and that
/// the entry passes to another id: after it has changed a field, it compares [`Entry::id`] again and takes the
/// change back when the id is no longer the one that it looked up.
#[derive(Debug)]
pub struct Entry {
    /// The living id; of kind 0, hence equal to no id, while the slot is free.
    pub id: AtomicU64,
    /// The id of the loop it belongs to.
    pub owner: AtomicU64,
    /// A connection: bytes that are queued to be sent. A loop: calls of other threads that are under way. Whoever adds
    /// takes away again, also when the id died meanwhile, so it is never reset.
    pub queued: AtomicU64,
    /// The application's pointer, as a number.
    pub user: AtomicUsize,
    /// Index in the slab of the loop, meaningful on the loop's thread; the next free slot while the slot is free.
    pub local: AtomicU32,
    /// The state, as the owner defines it; 0 at first.
    pub state: AtomicU32,
    /// Queued bytes above which a send is reported as pending. Set by the owner.
    pub high_water: AtomicU32,
    /// Queued bytes at which a send is refused. Set by the owner.
    pub max_buffered: AtomicU32,
}

const _: () = assert!(size_of::<Entry>() <= 48);

/// The entry of no id.
pub static NOBODY: Entry = Entry::new(0);

impl Entry {
    const fn new(slot: u32) -> Entry {
        Entry {
            id: AtomicU64::new(slot as u64),
            owner: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            user: AtomicUsize::new(0),
            local: AtomicU32::new(0),
            state: AtomicU32::new(0),
            high_water: AtomicU32::new(0),
            max_buffered: AtomicU32::new(0),
        }
    }
}

/// Makes an id that lives until [`release`]; `None` when 4 million live (or were used up). `state` and `user`
/// are 0, and other threads see the id only with all of this in place. Not to be called under the global
/// lock.
pub fn allocate(kind: IdKind, owner: u64, local: u32) -> Option<(u64, &'static Entry)> {
    TABLE.allocate(kind, owner, local)
}

/// Ends the life of `id`. Of all calls for one id exactly one returns `true`. Not to be called under the global
/// lock.
pub fn release(id: u64) -> bool {
    TABLE.release(id)
}

/// The entry of a living id of this kind; `None` for 0, for an id that is dead, of another kind, of the process
/// this one was forked from, or no id at all.
#[inline]
pub fn lookup(id: u64, kind: IdKind) -> Option<&'static Entry> {
    TABLE.lookup(id, kind)
}

/// The kind that is written in `id`, which need not be alive.
pub fn kind_of(id: u64) -> Option<IdKind> {
    match id >> KIND_SHIFT {
        1 => Some(IdKind::Loop),
        2 => Some(IdKind::Listener),
        3 => Some(IdKind::Conn),
        4 => Some(IdKind::Request),
        5 => Some(IdKind::Timer),
        _ => None,
    }
}

/// Makes every id dead that exists. Only for the child's side of a fork, with the global lock held.
pub(super) fn forget_parent() {
    TABLE.forget_parent();
}

/// The table; `BITS` is the width of the generations. `floor`, `fresh` and `free` change under the global lock.
struct Table<const BITS: u32> {
    chunks: [OnceLock<Box<[Entry]>>; CHUNKS],
    /// The first slot of this process: those below belong to the process it was forked from.
    floor: AtomicU32,
    /// The first slot that was never used.
    fresh: AtomicU32,
    /// The slot released last plus 1, the head of a list through [`Entry::local`]; 0 when there is none. Used
    /// last, used first: its memory is warm.
    free: AtomicU32,
}

impl<const BITS: u32> Table<BITS> {
    const fn new() -> Self {
        Table {
            chunks: [const { OnceLock::new() }; CHUNKS],
            floor: AtomicU32::new(0),
            fresh: AtomicU32::new(0),
            free: AtomicU32::new(0),
        }
    }

    #[inline]
    fn entry(&self, slot: u32) -> Option<&Entry> {
        let chunk = self.chunks.get((slot >> CHUNK_BITS) as usize)?.get()?;
        chunk.get((slot & (CHUNK - 1)) as usize)
    }

    #[inline]
    fn lookup(&self, id: u64, kind: IdKind) -> Option<&Entry> {
        if id >> KIND_SHIFT != kind as u64 {
            return None;
        }
        self.living(id)
    }

    /// The entry of `id`, whose kind is not 0.
    #[inline]
    fn living(&self, id: u64) -> Option<&Entry> {
        let slot = id as u32;
        if slot < self.floor.load(Ordering::Relaxed) {
            return None;
        }
        let entry = self.entry(slot)?;
        (entry.id.load(Ordering::Acquire) == id).then_some(entry)
    }

    fn allocate(&self, kind: IdKind, owner: u64, local: u32) -> Option<(u64, &Entry)> {
        let entry = with_global_lock(|| self.take_free().or_else(|| self.take_fresh()))?;
        entry.owner.store(owner, Ordering::Relaxed);
        entry.local.store(local, Ordering::Relaxed);
        entry.state.store(0, Ordering::Relaxed);
        entry.user.store(0, Ordering::Relaxed);
        // A free entry holds its next id, but for the kind.
        let id = entry.id.load(Ordering::Relaxed) | ((kind as u64) << KIND_SHIFT);
        entry.id.store(id, Ordering::Release);
        Some((id, entry))
    }

    fn take_free(&self) -> Option<&Entry> {
        let slot = self.free.load(Ordering::Relaxed).checked_sub(1)?;
        let entry = self.entry(slot)?;
        self.free.store(entry.local.load(Ordering::Relaxed), Ordering::Relaxed);
        Some(entry)
    }

    fn take_fresh(&self) -> Option<&Entry> {
        let slot = self.fresh.load(Ordering::Relaxed);
        let chunk = self.chunks.get((slot >> CHUNK_BITS) as usize)?;
        let first = slot & !(CHUNK - 1);
        let entries = chunk.get_or_init(|| (first..first + CHUNK).map(Entry::new).collect());
        self.fresh.store(slot + 1, Ordering::Relaxed);
        entries.get((slot - first) as usize)
    }

    fn release(&self, id: u64) -> bool {
        if kind_of(id).is_none() {
            return false;
        }
        let Some(entry) = self.living(id) else { return false };
        let next = Self::next_free_id(id);
        if entry.id.compare_exchange(id, next.unwrap_or(0), Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        if next.is_some() {
            with_global_lock(|| self.give_back(id as u32, entry));
        }
        true
    }

    fn give_back(&self, slot: u32, entry: &Entry) {
        entry.local.store(self.free.load(Ordering::Relaxed), Ordering::Relaxed);
        self.free.store(slot + 1, Ordering::Relaxed);
    }

    /// What the entry of `id` holds once it is free; `None` when `id` has the last generation.
    fn next_free_id(id: u64) -> Option<u64> {
        let generation = (id << (64 - KIND_SHIFT)) >> (64 - KIND_SHIFT + GENERATION_SHIFT);
        let next = generation + 1;
        (next >> BITS == 0).then_some((next << GENERATION_SHIFT) | u64::from(id as u32))
    }

    fn forget_parent(&self) {
        self.free.store(0, Ordering::Relaxed);
        let fresh = self.fresh.load(Ordering::Relaxed);
        if fresh == self.floor.load(Ordering::Relaxed) {
            return; // The parent never made an id: a long line of forks costs nothing.
        }
        // The chunk after the last used one is left to the parent, which goes on making ids: those of parent and
        // child stay apart for a while longer, which helps whoever reads the logs of both.
        let next_chunk = ((fresh - 1) >> CHUNK_BITS) + 2;
        let floor = (next_chunk << CHUNK_BITS).min(SLOTS);
        self.floor.store(floor, Ordering::Relaxed);
        self.fresh.store(floor, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn an_id_lives_once() {
        let (id, entry) = allocate(IdKind::Conn, 77, 5).unwrap();
        assert_eq!(kind_of(id), Some(IdKind::Conn));
        assert_eq!(entry.owner.load(Ordering::Relaxed), 77);
        assert_eq!(entry.local.load(Ordering::Relaxed), 5);
        assert!(std::ptr::eq(lookup(id, IdKind::Conn).unwrap(), entry));
        for other in [IdKind::Loop, IdKind::Listener, IdKind::Request, IdKind::Timer] {
            assert!(lookup(id, other).is_none());
        }
        assert!(release(id));
        assert!(!release(id));
        assert!(lookup(id, IdKind::Conn).is_none());
    }

    #[test]
    fn a_slot_used_again_is_clean_and_has_another_id() {
        let table = Table::<GENERATION_BITS>::new();
        let (first, entry) = table.allocate(IdKind::Conn, 1, 1).unwrap();
        entry.state.store(3, Ordering::Relaxed);
        entry.user.store(9, Ordering::Relaxed);
        assert!(table.release(first));
        let (second, entry) = table.allocate(IdKind::Conn, 2, 2).unwrap();
        assert_eq!(first as u32, second as u32);
        assert_ne!(first, second);
        assert!(table.lookup(first, IdKind::Conn).is_none());
        assert_eq!(entry.state.load(Ordering::Relaxed), 0);
        assert_eq!(entry.user.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn made_up_ids_are_dead() {
        let table = Table::<GENERATION_BITS>::new();
        let (id, _) = table.allocate(IdKind::Conn, 0, 0).unwrap();
        let kinds = [IdKind::Loop, IdKind::Listener, IdKind::Conn, IdKind::Request, IdKind::Timer];
        let made_up = (0..64).flat_map(|bit| [1 << bit, !(1 << bit), id ^ (1 << bit)]);
        for made_up in made_up.chain([0, u64::MAX]) {
            assert!(kinds.iter().all(|&kind| table.lookup(made_up, kind).is_none()), "{made_up:#x}");
            assert!(!table.release(made_up), "{made_up:#x}");
        }
        // What stands in a free entry is no id.
        assert!(table.release(id));
        let entry = table.entry(id as u32).unwrap();
        assert!(!table.release(entry.id.load(Ordering::Relaxed)));
        assert_eq!(kind_of(0), None);
        assert_eq!(kind_of(u64::MAX), None);
    }

    #[test]
    fn ids_never_repeat_across_threads() {
        let all: Vec<Vec<u64>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(churn)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let count: usize = all.iter().map(Vec::len).sum();
        let unique: HashSet<u64> = all.into_iter().flatten().collect();
        assert_eq!(unique.len(), count);
    }

    /// Makes and ends ids, some of which live for a while, and returns them all.
    fn churn() -> Vec<u64> {
        let mut made = Vec::new();
        for round in 0..3_000 {
            let (id, _) = allocate(IdKind::Timer, 1, round).unwrap();
            made.push(id);
            let entry = lookup(id, IdKind::Timer).unwrap();
            assert_eq!(entry.local.load(Ordering::Relaxed), round);
            if round % 3 != 0 {
                assert!(release(id));
                assert!(lookup(id, IdKind::Timer).is_none());
            }
        }
        for (round, &id) in made.iter().enumerate() {
            assert_eq!(release(id), round % 3 == 0);
        }
        made
    }

    #[test]
    fn one_of_many_releases_wins() {
        for _ in 0..100 {
            let (id, _) = allocate(IdKind::Request, 1, 1).unwrap();
            let wins: usize = thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(move || release(id))).collect();
                threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
            });
            assert_eq!(wins, 1);
        }
    }

    #[test]
    fn a_slot_without_generations_is_retired() {
        let table = Table::<2>::new();
        let mut slots = Vec::new();
        let mut ids = HashSet::new();
        for _ in 0..12 {
            let (id, _) = table.allocate(IdKind::Conn, 0, 0).unwrap();
            assert!(ids.insert(id));
            slots.push(id as u32);
            assert!(table.release(id));
            assert!(!table.release(id));
        }
        assert_eq!(slots, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
        assert!(ids.iter().all(|&id| table.lookup(id, IdKind::Conn).is_none()));
    }

    #[test]
    fn the_last_generation_is_still_an_id() {
        assert_eq!(
            Table::<GENERATION_BITS>::next_free_id(0x3fff_fffe_0000_0007),
            Some(0x0fff_ffff_0000_0007)
        );
        assert_eq!(Table::<GENERATION_BITS>::next_free_id(0x3fff_ffff_0000_0007), None);
    }

    #[test]
    fn a_full_table_refuses() {
        let table = Table::<GENERATION_BITS>::new();
        table.fresh.store(SLOTS - 1, Ordering::Relaxed);
        let (id, _) = table.allocate(IdKind::Conn, 0, 0).unwrap();
        assert!(table.allocate(IdKind::Conn, 0, 0).is_none());
        assert!(table.release(id));
        assert!(table.allocate(IdKind::Conn, 0, 0).is_some());
    }

    #[test]
    fn a_child_knows_no_id_of_its_parent() {
        let table = Table::<GENERATION_BITS>::new();
        let ids: Vec<u64> = (0..CHUNK + 10).map(|n| table.allocate(IdKind::Conn, 1, n).unwrap().0).collect();
        assert!(table.release(ids[3]));
        with_global_lock(|| table.forget_parent());
        assert!(ids.iter().all(|&id| table.lookup(id, IdKind::Conn).is_none() && !table.release(id)));
        let (child, _) = table.allocate(IdKind::Conn, 1, 0).unwrap();
        assert_eq!(child as u32, 3 * CHUNK);
        assert!(table.lookup(child, IdKind::Conn).is_some());
        // The parent's next chunk does not reach the child's.
        assert!(!ids.contains(&child));
    }

    #[test]
    fn forks_that_make_no_ids_cost_no_slots() {
        let table = Table::<GENERATION_BITS>::new();
        for _ in 0..5_000 {
            with_global_lock(|| table.forget_parent());
        }
        let (id, _) = table.allocate(IdKind::Loop, 0, 0).unwrap();
        assert_eq!(id as u32, 0);
        for _ in 0..5_000 {
            with_global_lock(|| table.forget_parent());
        }
        assert!(table.lookup(id, IdKind::Loop).is_none());
        let (id, _) = table.allocate(IdKind::Loop, 0, 0).unwrap();
        assert_eq!(id as u32, 2 * CHUNK);
        // A line of processes that each make ids comes to its end, and stays there.
        for _ in 0..CHUNKS {
            with_global_lock(|| table.forget_parent());
            let _ = table.allocate(IdKind::Loop, 0, 0);
        }
        assert!(table.allocate(IdKind::Loop, 0, 0).is_none());
    }

    #[test]
    fn watching_forks_twice_is_once() {
        watch_forks();
        watch_forks();
    }
}
