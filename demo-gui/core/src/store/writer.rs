//! The thread that writes: commits, then `.md` files, and a look at the folder every two seconds.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::db::{FileChanges, Store};
use super::folder::{Folder, Found, Outside, Step, Written, hash};
use super::{StoreError, Write};
use crate::link::NoteId;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After a failed commit, at first.
const RETRY: Duration = Duration::from_secs(1);

/// The longest wait after a failed commit.
const RETRY_AT_MOST: Duration = Duration::from_secs(30);

/// What the hub asks for.
#[derive(Debug)]
pub enum Job {
    /// Write this; answered with [`Answer::Committed`], if need be after [`Answer::Failed`].
    Commit(Vec<Write>),
    /// A file that was found belongs to this note.
    Adopt {
        /// The new note.
        note: NoteId,
        /// The file's name.
        name: String,
        /// What was in it.
        text: String,
    },
    /// Look at the folder now.
    Look,
}

/// What it tells.
#[derive(Debug)]
pub enum Answer {
    /// The disk has the commit.
    Committed,
    /// The disk does not take it; it is tried again.
    Failed(String),
    /// The file of a note was edited outside.
    Edited {
        /// Which note.
        note: NoteId,
        /// What the file held before.
        base: String,
        /// What it holds now.
        outside: Outside,
    },
    /// A file that is no note's.
    Found {
        /// Its name.
        name: String,
        /// What is in it.
        text: String,
    },
    /// The folder refuses; the database has everything.
    Folder(String),
}

/// The running thread.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<Sender<Job>>,
    /// What it tells.
    pub answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. It begins with a look at the folder and mends what a crash has left.
    pub fn start(store: Arc<Store>, folder: PathBuf, step: Step) -> Result<Writer, StoreError> {
        let io = |error: std::io::Error| StoreError::Io(format!("{}: {error}", folder.display()));
        let (mut files, records) = Folder::open(folder.clone(), store.files()?, step).map_err(io)?;
        // Before anything is asked of it, so that what it finds comes before the first edit.
        let first = files.look().map_err(io)?;
        let (jobs, inbox) = unbounded();
        let (outbox, answers) = unbounded();
        let (on_file, waiting) = (HashMap::new(), VecDeque::new());
        let mut work = Work { store, folder: files, on_file, records, waiting, outbox };
        work.mend(first)?;
        let thread = thread::Builder::new().name("notes-store".into()).spawn(move || work.run(&inbox));
        let thread = thread.map_err(|error| StoreError::Io(format!("starting a thread: {error}")))?;
        Ok(Writer { jobs: Some(jobs), answers, thread: Some(thread) })
    }

    /// Hands over work; never blocks.
    pub fn ask(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread ends only after this end of the channel.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Writer {
    /// Everything that was asked is done before this returns.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by the runtime; there is nothing to pass on.
            let _ = thread.join();
        }
    }
}

struct Work {
    store: Arc<Store>,
    folder: Folder,
    /// What a file holds, where that is not the text of the last settling: an outside edit that the hub was told of.
    on_file: HashMap<NoteId, String>,
    /// What the next commit has to say of files.
    records: FileChanges,
    /// Commits that are not yet done.
    waiting: VecDeque<Vec<Write>>,
    outbox: Sender<Answer>,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Job>) {
        let mut next_look = Instant::now() + LOOK_EVERY;
        loop {
            match inbox.recv_deadline(next_look) {
                Ok(job) => self.small_job(job),
                Err(RecvTimeoutError::Timeout) => {
                    let start = Instant::now();
                    self.look();
                    // A slow or large folder is looked at less often.
                    next_look = Instant::now() + LOOK_EVERY.max(start.elapsed() * 100);
                }
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
            while let Some(writes) = self.waiting.pop_front() {
                self.commit_until_taken(&writes, inbox);
            }
        }
    }

    fn tell(&self, answer: Answer) {
        // The hub may have ended: then nobody needs to know.
        let _ = self.outbox.send(answer);
    }

    /// Tries until it succeeds. When the program ends meanwhile, there is one last attempt.
    fn commit_until_taken(&mut self, writes: &[Write], inbox: &Receiver<Job>) {
        let mut wait = RETRY;
        let mut ending = false;
        loop {
            match self.commit(writes) {
                Ok(()) => return self.tell(Answer::Committed),
                Err(error) => self.tell(Answer::Failed(error.to_string())),
            }
            if ending {
                return;
            }
            ending = !self.wait_out(inbox, Instant::now() + wait);
            wait = (wait * 2).min(RETRY_AT_MOST);
            if let Err(error) = self.store.reopen() {
                self.tell(Answer::Failed(error.to_string()));
            }
        }
    }

    /// Waits, and puts further commits behind the one that fails. False: the program ends.
    fn wait_out(&mut self, inbox: &Receiver<Job>, until: Instant) -> bool {
        loop {
            match inbox.recv_deadline(until) {
                Ok(Job::Commit(writes)) => self.waiting.push_back(writes),
                Ok(job) => self.small_job(job),
                Err(error) => return error == RecvTimeoutError::Timeout,
            }
        }
    }

    fn small_job(&mut self, job: Job) {
        match job {
            Job::Commit(writes) => self.waiting.push_back(writes),
            Job::Adopt { note, name, text } => {
                let record = self.folder.adopt(&note, &name, &text);
                self.records.append(FileChanges { put: vec![record], gone: Vec::new() });
            }
            Job::Look => self.look(),
        }
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let mut before = HashMap::new();
        for write in writes {
            match write {
                Write::Settle { note, text, outside, .. } => {
                    before.insert(note.clone(), self.store.text(note)?.unwrap_or_default());
                    let seen = outside.and_then(|hash| self.folder.seen(note, hash));
                    self.records.append(FileChanges { put: seen.into_iter().collect(), gone: Vec::new() });
                    self.records.append(self.folder.plan(note, text));
                }
                // The file goes before the note: a file that is left would be a note again.
                Write::Purge(note) => self.remove_file(note),
                Write::Append(..) | Write::Meta(..) => {}
            }
        }
        self.store.commit(writes, &self.records)?;
        self.records = FileChanges::default();
        for write in writes {
            if let Write::Settle { note, text, .. } = write {
                self.write_file(note, text, before.remove(note).unwrap_or_default());
            }
        }
        Ok(())
    }

    fn remove_file(&mut self, note: &NoteId) {
        self.on_file.remove(note);
        match self.folder.remove(note) {
            Ok(name) => {
                self.records.append(FileChanges { put: Vec::new(), gone: name.into_iter().collect() })
            }
            Err(error) => self.tell(Answer::Folder(error.to_string())),
        }
    }

    /// `before` is what the file holds unless somebody has written to it.
    fn write_file(&mut self, note: &NoteId, text: &str, before: String) {
        match self.folder.write(note, text) {
            Ok(Written::Yes(changes)) => {
                self.on_file.remove(note);
                self.records.append(changes);
            }
            Ok(Written::EditedOutside(theirs)) => self.report(note, theirs, before),
            Err(error) => {
                self.on_file.entry(note.clone()).or_insert(before);
                self.tell(Answer::Folder(error.to_string()));
            }
        }
    }

    fn report(&mut self, note: &NoteId, outside: Outside, before: String) {
        let base = self.on_file.remove(note).unwrap_or(before);
        if base != outside.text {
            self.on_file.insert(note.clone(), outside.text.clone());
            self.tell(Answer::Edited { note: note.clone(), base, outside });
        }
    }

    fn look(&mut self) {
        match self.folder.look() {
            Ok(found) => found.into_iter().for_each(|found| self.found(found)),
            Err(error) => self.tell(Answer::Folder(error.to_string())),
        }
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::New { name, text } => self.tell(Answer::Found { name, text }),
            Found::Edited(note, outside) => match self.store.text(&note) {
                Ok(before) => self.report(&note, outside, before.unwrap_or_default()),
                Err(error) => self.tell(Answer::Failed(error.to_string())),
            },
        }
    }

    /// What the last run has left: files edited while we were away, and files that a crash kept from being written.
    fn mend(&mut self, first: Vec<Found>) -> Result<(), StoreError> {
        first.into_iter().for_each(|found| self.found(found));
        let mut behind = Vec::new();
        for (note, meta) in self.store.notes()? {
            if meta.deleted || self.on_file.contains_key(&note) {
                continue;
            }
            let Some(text) = self.store.text(&note)? else { continue };
            if self.folder.written(&note) != Some(hash(&text)) {
                self.records.append(self.folder.plan(&note, &text));
                behind.push((note, text));
            }
        }
        if !self.records.is_empty() {
            self.store.commit(&[], &std::mem::take(&mut self.records))?;
        }
        for (note, text) in behind {
            self.write_file(&note, &text, text.clone());
        }
        Ok(())
    }

    fn close(mut self) {
        if self.records.is_empty() {
            return;
        }
        if let Err(error) = self.store.commit(&[], &std::mem::take(&mut self.records)) {
            self.tell(Answer::Failed(error.to_string()));
        }
    }
}
