//! Malformed and malicious updates: the process lives, memory and time are bounded.

#[path = "support/random.rs"]
mod random;

use std::sync::{Mutex, PoisonError};

use cap::Cap;
use notes_core::wire::{ApplyError, Guard, TEXT};
use random::{Random, mutate, shaped_update};
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, Transact};

#[global_allocator]
static HEAP: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// The heap is counted for the whole process: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn cases(default: u64) -> u64 {
    std::env::var("NOTES_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

fn document() -> Doc {
    let mut options = Options::with_client_id(yrs::block::ClientID::new(3));
    options.offset_kind = OffsetKind::Bytes;
    let doc = Doc::with_options(options);
    doc.get_or_insert_text(TEXT);
    doc
}

/// What a hub and a window do with a document between two updates.
fn use_it(random: &mut Random, doc: &Doc) {
    let text = doc.get_or_insert_text(TEXT);
    let string = text.get_string(&doc.transact());
    if random.chance(2) && text.len(&doc.transact()) as usize == string.len() {
        let at = string.floor_char_boundary(random.below(string.len() + 1));
        text.insert(&mut doc.transact_mut_with("local"), at as u32, "x世");
        let string = text.get_string(&doc.transact());
        let end = string.floor_char_boundary(at + random.below(8));
        if end > at {
            text.remove_range(&mut doc.transact_mut_with("local"), at as u32, (end - at) as u32);
        }
    }
    let all = doc.transact().encode_state_as_update_v1(&StateVector::default());
    assert!(all.len() >= 2);
}

#[test]
fn shaped_updates_break_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let first = std::env::var("NOTES_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0u64);
    let (mut applied, mut refused, mut broken) = (0u64, 0u64, Vec::new());
    for seed in first..first + cases(3000) {
        let mut random = Random(seed);
        let doc = document();
        let mut guard = Guard::new();
        for _ in 0..1 + random.below(8) {
            let mut update = shaped_update(&mut random);
            if random.chance(4) {
                mutate(&mut random, &mut update);
            }
            if std::env::var("NOTES_FUZZ_SHOW").is_ok() {
                eprintln!("{seed}: {}", update.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            }
            match guard.apply(&doc, &update, "remote") {
                Ok(_) => {
                    assert!(!doc.transact().has_missing_updates(), "{seed}");
                    applied += 1;
                }
                Err(ApplyError::Invalid(_)) => refused += 1,
                Err(ApplyError::Broken) => {
                    broken.push(seed);
                    break;
                }
            }
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| use_it(&mut random, &doc))).is_err() {
                eprintln!("USE {seed}");
                broken.push(seed);
                std::mem::forget(doc);
                break;
            }
        }
    }
    println!("{applied} applied, {refused} refused, {} broken", broken.len());
    assert!(broken.is_empty(), "{broken:?}");
    assert!(applied > refused / 2 && refused > applied / 10, "{applied} {refused}");
}
