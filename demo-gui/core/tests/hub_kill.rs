//! A hub that is killed (SIGKILL) at any moment, again and again, while somebody types and the file is edited outside: what
//! the window was told to be saved is there, once, and in order.

#[path = "hub/desk.rs"]
mod desk;
#[path = "support/random.rs"]
mod random;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use desk::{Desk, until};
use notes_core::link::NoteId;
use random::Random;
use tempfile::tempdir;

const KILLS: u64 = 8;

fn note() -> NoteId {
    NoteId("counted".into())
}

/// Opens the note, made if it is not there.
fn opened(folder: &Path) -> Desk {
    let mut desk = Desk::new("typist", folder);
    desk.ask(notes_core::link::Command::Create { note: note(), text: "# Counted\n".into() });
    desk.open(&note());
    until(&mut [&mut desk], |desks| desks[0].text(&note()).starts_with("# Counted\n"));
    desk
}

/// The last number of a text that counts from 1, after the lines that were written outside.
fn count(text: &str) -> u64 {
    let words = text.lines().filter(|line| !line.starts_with("outside") && !line.starts_with('#'));
    let words: Vec<u64> = words.flat_map(str::split_whitespace).map(|word| word.parse().unwrap()).collect();
    let expected: Vec<u64> = (1..=words.len() as u64).collect();
    assert_eq!(words, expected, "{text}");
    words.len() as u64
}

/// The process that is killed, when a test below has started it; otherwise nothing.
#[test]
fn child() {
    let Ok(folder) = std::env::var("HUB_KILL_FOLDER") else { return };
    let mut desk = opened(Path::new(&folder));
    loop {
        // An edit from outside may be merged meanwhile, but nobody else counts.
        let next = count(desk.text(&note())) + 1;
        desk.type_in(&note(), &format!("{next} "));
        desk.until_saved(&note());
        println!("saved {next}");
    }
}

/// Lets the child type for a while, and returns what was said to be saved.
fn killed_after(folder: &Path, time: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("HUB_KILL_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || {
        let lines = out.lines().map_while(Result::ok);
        lines.filter_map(|line| line.split_once("saved ")?.1.parse().ok()).last().unwrap_or(0)
    });
    thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn killed_at_any_moment() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("notes/Counted.md");
    let mut random = Random(20_261_126);
    let (mut saved, mut outside) = (0, Vec::new());
    for kill in 0..KILLS {
        let time = Duration::from_millis(300 + random.below(3_000) as u64);
        saved = saved.max(killed_after(folder.path(), time));
        // Whatever the file has by now, somebody writes a line into it.
        if let Ok(text) = fs::read_to_string(&file) {
            let line = format!("outside {kill}");
            let (title, rest) = text.split_once('\n').unwrap();
            fs::write(&file, format!("{title}\n{line}\n{rest}")).unwrap();
            outside.push(line);
        }
        let mut desk = opened(folder.path());
        until(&mut [&mut desk], |desks| {
            let lines: Vec<&str> = desks[0].text(&note()).lines().collect();
            outside.iter().all(|line| lines.contains(&line.as_str()))
        });
        let there = count(desk.text(&note()));
        assert!(there == saved || there == saved + 1, "kill {kill}: {there} are there, {saved} were saved");
        saved = there;
        for line in &outside {
            let times = desk.text(&note()).lines().filter(|other| other == line).count();
            assert_eq!(times, 1, "kill {kill}: {line}");
        }
    }
    assert!(saved >= KILLS / 2 && outside.len() as u64 >= KILLS / 2, "{saved} {outside:?}");
    println!("{saved} words and {} lines from outside lived through {KILLS} kills", outside.len());
}
