//! Deadlines, in milliseconds: a hierarchical timing wheel.
//!
//! Level 0 has a slot for each of the 64 ms around the present, level 1 for each of 64 spans of 64 ms, and so on: a
//! digit in base 64 per level, eleven of which cover every `u64`. A timer stands at the level of the highest digit
//! in which its deadline differs from the present, in the slot of that digit. When the present reaches the slot, its
//! timers move down (they cascade); from level 0 they are due. So each timer is touched at most eleven times in its
//! life (three for a deadline within four minutes), and inserting and removing touch a few list links.

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 64_usize.div_ceil(BITS as usize);

/// The list of timers that are due, beside those of the slots.
const DUE: u16 = (LEVELS * SLOTS) as u16;
/// In place of a list: the node is free.
const FREE: u16 = DUE + 1;
/// No node.
const NIL: u32 = u32::MAX;

/// A set of timers, each with a deadline and a key of the caller's.
///
/// A timer never comes early, and all that are due come in the order of their deadlines, those of one millisecond in
/// the order of insertion. A deadline in the past counts as one of the present.
#[derive(Debug)]
pub struct Wheel {
    /// The present, as far as it has been worked off: no timer in a slot is before it.
    now: u64,
    nodes: Vec<Node>,
    /// The node freed last, the head of a list through `next`.
    free: u32,
    len: usize,
    lists: Box<[List]>,
    /// A bit for each slot that is not empty.
    occupied: [u64; LEVELS],
}

#[derive(Debug)]
struct Node {
    key: u64,
    at: u64,
    prev: u32,
    next: u32,
    list: u16,
}

const _: () = assert!(size_of::<Node>() <= 32);

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

const EMPTY: List = List { head: NIL, tail: NIL };

/// The first slot with timers, and when it begins.
struct First {
    level: usize,
    slot: usize,
    begins: u64,
}

impl Wheel {
    /// An empty wheel whose present is `now_ms`.
    pub fn new(now_ms: u64) -> Self {
        Wheel {
            now: now_ms,
            nodes: Vec::new(),
            free: NIL,
            len: 0,
            lists: vec![EMPTY; DUE as usize + 1].into(),
            occupied: [0; LEVELS],
        }
    }

    /// Adds a timer and returns its node, which is its name until it is popped or removed.
    ///
    /// # Panics
    /// When there are 2^32 - 1 timers.
    pub fn insert(&mut self, at_ms: u64, key: u64) -> u32 {
        let node = self.allocate(key);
        self.place(node, at_ms);
        self.len += 1;
        node
    }

    /// Removes a timer and returns its key.
    ///
    /// # Panics
    /// When `node` is no timer (any more).
    pub fn remove(&mut self, node: u32) -> u64 {
        self.unlink(node);
        self.release(node)
    }

    /// Gives a timer another deadline; it keeps its node.
    ///
    /// # Panics
    /// When `node` is no timer (any more).
    pub fn reschedule(&mut self, node: u32, at_ms: u64) {
        self.unlink(node);
        self.place(node, at_ms);
    }

    /// When [`Wheel::pop_due`] has something to do: at the earliest deadline, or before it when many timers have to
    /// move down a level, a few times at most in the life of a timer. `None` without timers.
    pub fn next_wake(&self) -> Option<u64> {
        if self.lists[DUE as usize].head != NIL {
            return Some(self.now);
        }
        let first = self.first()?;
        let list = self.lists[list_of(first.level, first.slot) as usize];
        // A timer that is alone in its slot need not move down in time to keep its place among others.
        let alone = list.head == list.tail;
        Some(if alone { self.nodes[list.head as usize].at } else { first.begins })
    }

    /// Moves the present on to `now_ms` (it never goes back) and takes the first timer that is due: its key. To be
    /// called until it is `None`. A timer that is inserted with a deadline that is due comes in the same round.
    pub fn pop_due(&mut self, now_ms: u64) -> Option<u64> {
        loop {
            let due = self.lists[DUE as usize].head;
            if due != NIL {
                return Some(self.remove(due));
            }
            match self.first() {
                Some(first) if first.begins <= now_ms => self.enter(&first),
                _ => {
                    self.now = self.now.max(now_ms);
                    return None;
                }
            }
        }
    }

    /// The first slot that is not empty: that of the lowest level, because a timer stands on the lowest level whose
    /// span holds both it and the present.
    fn first(&self) -> Option<First> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = level as u32 * BITS;
        // The digits above the level are those of the present, those below are zero.
        let above = self.now.checked_shr(shift + BITS).map_or(0, |digits| digits << (shift + BITS));
        Some(First { level, slot: slot as usize, begins: above | (u64::from(slot) << shift) })
    }

    /// Makes the beginning of a slot the present, and its timers due or of a lower level.
    fn enter(&mut self, first: &First) {
        self.now = first.begins;
        let list = list_of(first.level, first.slot);
        let mut node = std::mem::replace(&mut self.lists[list as usize], EMPTY).head;
        self.occupied[first.level] &= !(1 << first.slot);
        while node != NIL {
            let Node { at, next, .. } = self.nodes[node as usize];
            if at <= self.now {
                self.append(node, DUE);
            } else {
                self.place(node, at);
            }
            node = next;
        }
    }

    /// Puts a node that is in no list into the slot of its deadline.
    fn place(&mut self, node: u32, at_ms: u64) {
        let at = at_ms.max(self.now);
        self.nodes[node as usize].at = at;
        let highest_difference = 63 - ((at ^ self.now) | 1).leading_zeros();
        let level = highest_difference / BITS;
        let slot = (at >> (level * BITS)) as usize % SLOTS;
        self.occupied[level as usize] |= 1 << slot;
        self.append(node, list_of(level as usize, slot));
    }

    /// Puts a node at the end of a list.
    fn append(&mut self, node: u32, list: u16) {
        let tail = std::mem::replace(&mut self.lists[list as usize].tail, node);
        match tail {
            NIL => self.lists[list as usize].head = node,
            _ => self.nodes[tail as usize].next = node,
        }
        let entry = &mut self.nodes[node as usize];
        (entry.prev, entry.next, entry.list) = (tail, NIL, list);
    }

    /// Takes a node out of its list.
    fn unlink(&mut self, node: u32) {
        let Node { prev, next, list, .. } = self.nodes[node as usize];
        assert_ne!(list, FREE, "the timer has been popped or removed");
        match prev {
            NIL => self.lists[list as usize].head = next,
            _ => self.nodes[prev as usize].next = next,
        }
        match next {
            NIL => self.lists[list as usize].tail = prev,
            _ => self.nodes[next as usize].prev = prev,
        }
        if list != DUE && self.lists[list as usize].head == NIL {
            self.occupied[list as usize / SLOTS] &= !(1 << (list as usize % SLOTS));
        }
    }

    fn allocate(&mut self, key: u64) -> u32 {
        let node = Node { key, at: 0, prev: NIL, next: NIL, list: FREE };
        if self.free == NIL {
            let index = u32::try_from(self.nodes.len()).ok().filter(|&index| index != NIL);
            self.nodes.push(node);
            return index.expect("fewer than 2^32 - 1 timers");
        }
        let index = self.free;
        self.free = std::mem::replace(&mut self.nodes[index as usize], node).next;
        index
    }

    /// Frees a node that is in no list.
    fn release(&mut self, node: u32) -> u64 {
        let entry = &mut self.nodes[node as usize];
        (entry.next, entry.list) = (self.free, FREE);
        self.free = node;
        self.len -= 1;
        entry.key
    }
}

fn list_of(level: usize, slot: usize) -> u16 {
    (level * SLOTS + slot) as u16
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn drain(wheel: &mut Wheel, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| wheel.pop_due(now)).collect()
    }

    #[test]
    fn comes_when_due_and_not_before() {
        let mut wheel = Wheel::new(1_000);
        wheel.insert(1_005, 1);
        assert_eq!(wheel.next_wake(), Some(1_005));
        assert_eq!(wheel.pop_due(1_004), None);
        assert_eq!(wheel.pop_due(1_005), Some(1));
        assert_eq!(wheel.pop_due(1_005), None);
        assert_eq!(wheel.len, 0);
        assert_eq!(wheel.next_wake(), None);
    }

    #[test]
    fn the_past_is_due_now() {
        let mut wheel = Wheel::new(1_000);
        wheel.insert(3, 1);
        wheel.insert(0, 2);
        assert_eq!(wheel.next_wake(), Some(1_000));
        // Even when the clock seems to have gone back.
        assert!(drain(&mut wheel, 10).is_empty());
        assert_eq!(drain(&mut wheel, 1_000), [1, 2]);
    }

    #[test]
    fn in_order_after_a_jump_of_hours() {
        let mut wheel = Wheel::new(123_456_789);
        let deadlines = [5_000, 1, 90_000_000, 64, 4_096, 63, 65, 3_600_000, 1, 64];
        for (key, after) in deadlines.into_iter().enumerate() {
            wheel.insert(123_456_789 + after, key as u64);
        }
        let all = drain(&mut wheel, 123_456_789 + 100_000_000);
        assert_eq!(all, [1, 8, 5, 3, 9, 6, 4, 0, 7, 2]);
    }

    #[test]
    fn the_ends_of_time() {
        let mut wheel = Wheel::new(0);
        wheel.insert(u64::MAX, 1);
        wheel.insert(u64::MAX, 2);
        wheel.insert(u64::MAX - 1, 3);
        wheel.insert(0, 4);
        assert_eq!(drain(&mut wheel, 0), [4]);
        assert!(drain(&mut wheel, u64::MAX - 2).is_empty());
        assert_eq!(drain(&mut wheel, u64::MAX - 1), [3]);
        assert_eq!(drain(&mut wheel, u64::MAX), [1, 2]);
        wheel.insert(5, 6);
        assert_eq!(drain(&mut wheel, u64::MAX), [6]);
    }

    #[test]
    fn a_due_timer_can_be_removed_or_moved() {
        let mut wheel = Wheel::new(0);
        let nodes: Vec<u32> = (0..4).map(|key| wheel.insert(10, key)).collect();
        assert_eq!(wheel.pop_due(10), Some(0));
        assert_eq!(wheel.remove(nodes[1]), 1);
        wheel.reschedule(nodes[2], 20);
        assert_eq!(drain(&mut wheel, 10), [3]);
        assert_eq!(drain(&mut wheel, 20), [2]);
    }

    #[test]
    #[should_panic(expected = "has been popped or removed")]
    fn a_node_is_removed_once() {
        let mut wheel = Wheel::new(0);
        let node = wheel.insert(1, 1);
        wheel.remove(node);
        wheel.remove(node);
    }

    /// Sleeps until `next_wake` again and again; returns the number of wake-ups until the wheel is empty.
    fn wake_ups(wheel: &mut Wheel) -> usize {
        let mut wake_ups = 0;
        while let Some(at) = wheel.next_wake() {
            wake_ups += 1;
            drain(wheel, at);
        }
        wake_ups
    }

    #[test]
    fn far_timers_wake_seldom() {
        let mut alone = Wheel::new(77);
        alone.insert(25_077, 1);
        assert_eq!(wake_ups(&mut alone), 1);

        let mut many = Wheel::new(77);
        for key in 0..1_000 {
            many.insert(25_077 + key * 7, key);
        }
        let count = wake_ups(&mut many);
        assert!((1_000..1_200).contains(&count), "{count} wake-ups for 1,000 deadlines");
    }

    #[test]
    fn moving_costs_the_same_however_many_there_are() {
        let mut wheel = Wheel::new(0);
        let nodes: Vec<u32> = (0..200_000).map(|key| wheel.insert(25_000 + key % 100, key)).collect();
        for now in 0..5 {
            for &node in &nodes {
                wheel.reschedule(node, 25_000 + now);
            }
        }
        assert_eq!(wheel.nodes.len(), 200_000);
        assert_eq!(drain(&mut wheel, 25_003).len(), 0);
        assert_eq!(drain(&mut wheel, 25_004).len(), 200_000);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        InsertPast(u64),
        Remove(usize),
        Reschedule(usize, u64),
        PopOne(u64),
        PopAll(u64),
        Wake,
    }

    fn span() -> impl Strategy<Value = u64> {
        prop_oneof![
            0_u64..4,
            0_u64..200,
            0_u64..10_000,
            0_u64..100_000_000,
            any::<u64>().prop_map(|n| n >> 8)
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => span().prop_map(Step::Insert),
            1 => span().prop_map(Step::InsertPast),
            2 => any::<usize>().prop_map(Step::Remove),
            2 => (any::<usize>(), span()).prop_map(|(which, after)| Step::Reschedule(which, after)),
            2 => span().prop_map(Step::PopOne),
            2 => span().prop_map(Step::PopAll),
            1 => Just(Step::Wake),
        ]
    }

    /// The wheel beside an ordered map from (deadline, order of insertion) to (key, node).
    struct Pair {
        wheel: Wheel,
        model: BTreeMap<(u64, u64), (u64, u32)>,
        /// The present of the wheel, and the latest time it was given.
        present: u64,
        now: u64,
        order: u64,
    }

    impl Pair {
        fn insert(&mut self, at: u64) {
            self.order += 1;
            let node = self.wheel.insert(at, self.order);
            self.model.insert((at.max(self.present), self.order), (self.order, node));
        }

        fn nth(&self, which: usize) -> Option<(u64, u64)> {
            self.model.keys().nth(which.checked_rem(self.model.len())?).copied()
        }

        fn remove(&mut self, which: usize) -> Result<(), TestCaseError> {
            if let Some((key, node)) = self.nth(which).and_then(|place| self.model.remove(&place)) {
                prop_assert_eq!(self.wheel.remove(node), key);
            }
            Ok(())
        }

        fn reschedule(&mut self, which: usize, at: u64) {
            if let Some(timer) = self.nth(which).and_then(|place| self.model.remove(&place)) {
                self.order += 1;
                self.wheel.reschedule(timer.1, at);
                self.model.insert((at.max(self.present), self.order), timer);
            }
        }

        /// Pops once; says whether there was something.
        fn pop(&mut self) -> Result<bool, TestCaseError> {
            let first = self.model.first_entry().filter(|entry| entry.key().0 <= self.now);
            let expected = first.map(|entry| entry.remove_entry());
            prop_assert_eq!(self.wheel.pop_due(self.now), expected.map(|(_, (key, _))| key));
            self.present = expected.map_or(self.now, |((at, _), _)| at);
            Ok(expected.is_some())
        }

        fn apply(&mut self, step: Step) -> Result<(), TestCaseError> {
            match step {
                Step::Insert(after) => self.insert(self.now.saturating_add(after)),
                Step::InsertPast(before) => self.insert(self.now.saturating_sub(before)),
                Step::Remove(which) => self.remove(which)?,
                Step::Reschedule(which, after) => self.reschedule(which, self.now.saturating_add(after)),
                Step::PopOne(after) => {
                    self.now = self.now.saturating_add(after);
                    self.pop()?;
                }
                Step::PopAll(after) => {
                    self.now = self.now.saturating_add(after);
                    while self.pop()? {}
                }
                Step::Wake => {
                    self.now = self.now.max(self.wheel.next_wake().unwrap_or(0));
                    while self.pop()? {}
                }
            }
            self.check()
        }

        fn check(&self) -> Result<(), TestCaseError> {
            prop_assert_eq!(self.wheel.len, self.model.len());
            let earliest = self.model.keys().next().map(|&(at, _)| at);
            let wake = self.wheel.next_wake();
            prop_assert_eq!(wake.is_some(), earliest.is_some());
            prop_assert!(wake <= earliest, "wakes at {wake:?} for {earliest:?}");
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn behaves_as_an_ordered_map(
            start in prop_oneof![Just(0), 0_u64..1_000_000, any::<u64>()],
            steps in prop::collection::vec(step(), 1..120),
        ) {
            let wheel = Wheel::new(start);
            let mut pair = Pair { wheel, model: BTreeMap::new(), present: start, now: start, order: 0 };
            for step in steps {
                pair.apply(step)?;
            }
            pair.now = u64::MAX;
            while pair.pop()? {}
            prop_assert_eq!(pair.wheel.len, 0);
        }
    }
}
