//! Elements under small numbers, in chunks: nothing is ever moved, and there is no copy of twice the size at any
//! moment of growth.

/// Elements of a chunk. Memory of a chunk that is not used yet is reserved, not touched.
const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Holds elements under `u32` keys. The key of a removed element is given to a later one.
#[derive(Debug)]
pub struct Slab<T> {
    /// All but the last are full (of occupied or free places); each has room for [`CHUNK`].
    chunks: Vec<Vec<Place<T>>>,
    /// The place freed last, the head of a list.
    free: Option<u32>,
    len: usize,
}

#[derive(Debug)]
enum Place<T> {
    Used(T),
    /// With the next free place.
    Free(Option<u32>),
}

impl<T> Slab<T> {
    /// An empty slab; it owns no memory yet.
    pub const fn new() -> Self {
        Slab { chunks: Vec::new(), free: None, len: 0 }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Stores `value` and returns its key.
    ///
    /// # Panics
    /// When there are 2^32 elements.
    pub fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        let Some(key) = self.free else { return self.append(value) };
        if let Some(place) = self.place_mut(key) {
            if let Place::Free(next) = std::mem::replace(place, Place::Used(value)) {
                self.free = next;
            }
        }
        key
    }

    fn append(&mut self, value: T) -> u32 {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunk_index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[chunk_index];
        let key = u32::try_from((chunk_index << CHUNK_BITS) + chunk.len()).expect("fewer than 2^32 elements");
        chunk.push(Place::Used(value));
        key
    }

    /// The element under `key`.
    #[inline]
    pub fn get(&self, key: u32) -> Option<&T> {
        match self.chunks.get((key >> CHUNK_BITS) as usize)?.get(key as usize & (CHUNK - 1))? {
            Place::Used(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// The element under `key`, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        match self.place_mut(key)? {
            Place::Used(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    #[inline]
    fn place_mut(&mut self, key: u32) -> Option<&mut Place<T>> {
        self.chunks.get_mut((key >> CHUNK_BITS) as usize)?.get_mut(key as usize & (CHUNK - 1))
    }

    /// Takes out the element under `key`. When it was the last one, all memory is given back.
    pub fn remove(&mut self, key: u32) -> Option<T> {
        self.get(key)?;
        let next = self.free;
        let Place::Used(value) = std::mem::replace(self.place_mut(key)?, Place::Free(next)) else {
            return None;
        };
        self.free = Some(key);
        self.len -= 1;
        if self.len == 0 && self.chunks.len() > 1 {
            *self = Slab::new();
        }
        Some(value)
    }

    /// The keys of all elements, in ascending order. Takes as long as the largest number of elements there was.
    pub fn keys(&self) -> impl Iterator<Item = u32> + '_ {
        self.chunks.iter().zip(0_u32..).flat_map(|(chunk, chunk_index)| {
            let first = chunk_index << CHUNK_BITS;
            chunk
                .iter()
                .zip(first..)
                .filter_map(|(place, key)| matches!(place, Place::Used(_)).then_some(key))
        })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_come_and_go() {
        let mut slab = Slab::new();
        assert!(slab.is_empty());
        let a = slab.insert("a");
        let b = slab.insert("b");
        assert_ne!(a, b);
        assert_eq!((slab.get(a), slab.get(b), slab.len), (Some(&"a"), Some(&"b"), 2));
        *slab.get_mut(b).unwrap() = "B";
        assert_eq!(slab.remove(b), Some("B"));
        assert_eq!(slab.remove(b), None);
        assert!(slab.get(b).is_none() && slab.get(a).is_some());
        assert_eq!(slab.insert("c"), b);
        assert_eq!(slab.get(u32::MAX), None);
        assert_eq!(slab.remove(u32::MAX), None);
    }

    #[test]
    fn elements_stay_where_they_are() {
        let mut slab = Slab::new();
        let first = slab.insert(1_u64);
        let address: *const u64 = slab.get(first).unwrap();
        for n in 0..10 * CHUNK as u64 {
            slab.insert(n);
        }
        assert!(std::ptr::eq(slab.get(first).unwrap(), address));
    }

    #[test]
    fn no_place_for_more_than_a_chunk_is_wasted() {
        let mut slab = Slab::new();
        for n in 0..10_000_u32 {
            slab.insert(n);
        }
        let places: usize = slab.chunks.iter().map(Vec::capacity).sum();
        assert!(places < 10_000 + CHUNK, "{places}");
        assert_eq!(size_of::<Place<Box<[u8; 64]>>>(), 2 * size_of::<usize>());
    }

    #[test]
    fn an_empty_slab_owns_little() {
        let mut slab = Slab::new();
        let keys: Vec<u32> = (0..3 * CHUNK).map(|_| slab.insert([0_u8; 100])).collect();
        for key in keys {
            assert!(slab.remove(key).is_some());
        }
        assert_eq!(slab.chunks.capacity(), 0);
        assert_eq!(slab.insert([1; 100]), 0);
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in prop::collection::vec((any::<bool>(), 0_u32..700), 0..2_000)) {
            let mut slab = Slab::new();
            let mut model = BTreeMap::new();
            for (grow, number) in steps {
                if grow || number > 600 {
                    let key = slab.insert(number);
                    prop_assert!(model.insert(key, number).is_none());
                } else {
                    prop_assert_eq!(slab.remove(number), model.remove(&number));
                }
                prop_assert_eq!(slab.len, model.len());
            }
            prop_assert!(slab.keys().eq(model.keys().copied()));
            for (&key, value) in &model {
                prop_assert_eq!(slab.get(key), Some(value));
            }
        }
    }
}
