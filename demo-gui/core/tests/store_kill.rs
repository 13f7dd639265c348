//! The process is killed (SIGKILL) before every single step of writing: what was answered for is there, a commit is
//! there as a whole or not at all, and the `.md` files are whole.

#[path = "support/disk.rs"]
mod disk;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use notes_core::link::NoteId;
use notes_core::store::db::{Loaded, Store};
use notes_core::store::writer::{Answer, Job, Writer};
use notes_core::store::{Meta, Write};
use tempfile::tempdir;

/// Commits of the script below; after each the child says "done".
const ROUNDS: u64 = 9;

static STEPS: AtomicU64 = AtomicU64::new(0);
static KILL_AT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Every write, sync and rename comes by here first.
fn step(_: &'static str) {
    if STEPS.fetch_add(1, SeqCst) + 1 == KILL_AT.load(SeqCst) {
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        loop {
            std::thread::park();
        }
    }
}

fn note(name: &str) -> NoteId {
    NoteId(name.into())
}

fn text(round: u64) -> String {
    format!("# Title {}\n{}", round / 4, format!("round {round}\n").repeat(400))
}

fn update(round: u64, n: u64) -> Vec<u8> {
    format!("update {round}.{n} ").repeat(30).into_bytes()
}

/// What a round commits.
fn writes(round: u64) -> Vec<Write> {
    let meta = Meta { title: format!("round {round}"), ..Meta::default() };
    let settle = |name: &str| Write::Settle {
        note: note(name),
        snapshot: text(round).into_bytes(),
        text: text(round),
        outside: None,
    };
    let mut writes = vec![Write::Meta(note("a"), meta.clone())];
    match round {
        0 => writes.extend([settle("a"), settle("b"), Write::Meta(note("b"), meta)]),
        3 | 6 => writes.push(settle("a")),
        7 => writes.push(Write::Purge(note("b"))),
        _ => writes.push(Write::Append(note("a"), (0..3).map(|n| update(round, n)).collect())),
    }
    writes
}

/// The note "a" after so many rounds.
fn expected(rounds: u64) -> Loaded {
    let mut loaded = Loaded::default();
    for round in 0..rounds {
        for write in writes(round) {
            match write {
                Write::Settle { snapshot, note, .. } if note.0 == "a" => {
                    loaded = Loaded { snapshot: Some(snapshot), updates: Vec::new() };
                }
                Write::Append(_, updates) => loaded.updates.extend(updates),
                _ => {}
            }
        }
    }
    loaded
}

/// The process that is killed, when a test below has started it; otherwise nothing.
#[test]
fn child() {
    let Ok(folder) = std::env::var("STORE_KILL_FOLDER") else { return };
    KILL_AT.store(std::env::var("STORE_KILL_AT").unwrap().parse().unwrap(), SeqCst);
    let folder = PathBuf::from(folder);
    let store = disk::open(&folder, |what| {
        step(what);
        Ok(())
    });
    let writer = Writer::start(store.clone(), folder.join("notes"), step).unwrap();
    for round in 0..ROUNDS {
        writer.ask(Job::Commit(writes(round)));
        match writer.answers.recv().unwrap() {
            Answer::Committed => println!("done {}", round + 1),
            other => panic!("{other:?}"),
        }
    }
    drop(writer);
    store.compact().unwrap();
    println!("steps {}", STEPS.load(SeqCst));
}

/// Runs the child; returns how many rounds it has answered for, and its steps if it came to its end.
fn run_child(folder: &Path, kill_at: u64) -> (u64, Option<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("STORE_KILL_FOLDER", folder)
        .env("STORE_KILL_AT", kill_at.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut done, mut steps) = (0, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        // The first line of the harness has no line end of its own.
        if let Some((_, n)) = line.split_once("done ") {
            done = n.parse().unwrap();
        } else if let Some((_, n)) = line.split_once("steps ") {
            steps = Some(n.parse().unwrap());
        }
    }
    let status = child.wait().unwrap();
    assert_eq!(status.success(), steps.is_some(), "step {kill_at}: {status}");
    (done, steps)
}

fn markdown(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder.join("notes")) else { return Vec::new() };
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// What a kill has left: returns how many rounds are there.
fn check(folder: &Path, done: u64, what: &str) -> u64 {
    let whole: Vec<String> = (0..ROUNDS).map(text).collect();
    for (name, text) in markdown(folder) {
        assert!(whole.contains(&text), "{what}: {name} is cut");
    }
    let store = Store::open(&folder.join("notes.redb")).unwrap_or_else(|error| panic!("{what}: {error}"));
    let store = Arc::new(store);
    // The title tells which commit was the last.
    let title = store.notes().unwrap().into_iter().find(|(id, _)| id.0 == "a").map(|(_, meta)| meta.title);
    let there = title.map_or(0, |title| title.strip_prefix("round ").unwrap().parse::<u64>().unwrap() + 1);
    assert!(there == done || there == done + 1, "{what}: {there} rounds are there, {done} were answered for");
    assert_eq!(store.load(&note("a")).unwrap(), expected(there), "{what}");
    // The next start mends the files, and finds nothing that looks like an edit from outside.
    let writer = Writer::start(store.clone(), folder.join("notes"), |_| {}).unwrap();
    let answers = writer.answers.clone();
    drop(writer);
    let said: Vec<Answer> = answers.try_iter().collect();
    assert!(said.is_empty(), "{what}: {said:?}");
    let text = store.text(&note("a")).unwrap();
    let files = markdown(folder);
    let of_a = files.iter().filter(|(_, file)| Some(file) == text.as_ref()).count();
    let notes = store.notes().unwrap().len();
    assert_eq!(files.len(), notes, "{what}: {:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert!(text.is_none() || of_a >= 1, "{what}");
    there
}

#[test]
fn killed_at_every_step() {
    let folder = tempdir().unwrap();
    let (done, steps) = run_child(folder.path(), u64::MAX);
    let steps = steps.unwrap();
    assert_eq!((done, check(folder.path(), done, "not killed")), (ROUNDS, ROUNDS));
    assert!(steps > 100, "only {steps} steps: the backend is not asked");
    let (next, ahead) = (AtomicU64::new(1), AtomicU64::new(0));
    let kill_at_next = || {
        loop {
            let kill_at = next.fetch_add(1, SeqCst);
            if kill_at > steps {
                return;
            }
            let folder = tempdir().unwrap();
            let (done, finished) = run_child(folder.path(), kill_at);
            // The number of steps depends a little on how threads meet.
            if finished.is_none() {
                let there = check(folder.path(), done, &format!("step {kill_at} of {steps}"));
                ahead.fetch_add(there - done, SeqCst);
            }
        }
    };
    // They mostly wait for the disk.
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(kill_at_next))));
    let ahead = ahead.into_inner();
    println!("{steps} steps; {ahead} times the commit was there and the answer was not");
}
