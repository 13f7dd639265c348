//! A host without a window: a small computer that is always on, and the tests.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use crossbeam_channel::{Receiver, bounded, select};

use crate::hub::{Extras, Hub, HubHandle, HubOptions};
use crate::link::{Command, Event, Failure, NoteId, ShareCard};
use crate::share::is_note_name;

/// What the options are, for `--help`.
pub const USAGE: &str = "\
  --data DIR      the folder of everything; made if it is not there
  --listen ADDR   address and port, \"0.0.0.0:8765\"; port 0 is any free one
  --note NAME     a note to share, made if it is not there; again for more; without it every note is shared
  --name HOST     a name under which this computer is reached, \"notes.example\"; again for more
";

/// How to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// The folder of everything.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The notes to share, made if they are not there; empty: all that there are.
    pub notes: Vec<String>,
    /// Further values of Host that are answered: names under which this computer is reached.
    pub names: Vec<String>,
}

impl ServeOptions {
    /// Reads the options of [`USAGE`].
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<ServeOptions, String> {
        let mut args = args.into_iter();
        let (mut data, mut listen) = (None, None);
        let (mut notes, mut names) = (Vec::new(), Vec::new());
        while let Some(option) = args.next() {
            let mut value = || args.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--data" => data = Some(PathBuf::from(value()?)),
                "--listen" => {
                    let text = value()?;
                    let address = text.parse();
                    listen =
                        Some(address.map_err(|_| format!("--listen {text:?} is not like 0.0.0.0:8765"))?);
                }
                "--note" => notes.push(value()?),
                "--name" => names.push(value()?),
                other => return Err(format!("{other} is no option here")),
            }
        }
        if let Some(bad) = notes.iter().find(|note| !is_note_name(note)) {
            return Err(format!("--note {bad:?}: a name has 1 to 64 of the characters A-Z a-z 0-9 - _"));
        }
        let data = data.ok_or("--data is missing")?;
        let listen = listen.ok_or("--listen is missing")?;
        Ok(ServeOptions { data, listen, notes, names })
    }
}

/// Shares notes and writes their links to `out`, two lines for each, until SIGINT or SIGTERM.
///
/// # Errors
/// A sentence: the folder cannot be used, the address is taken.
pub fn serve(options: ServeOptions, out: &mut dyn Write) -> Result<(), String> {
    let (stop, stopped) = bounded(1);
    let on_signal = move || {
        // A second signal finds the first one still there.
        let _ = stop.try_send(());
    };
    ctrlc::set_handler(on_signal).map_err(|error| format!("waiting for signals: {error}"))?;
    serve_until(options, out, &stopped)
}

/// The same, until something comes out of `stopped`.
pub fn serve_until(options: ServeOptions, out: &mut dyn Write, stopped: &Receiver<()>) -> Result<(), String> {
    let extras = Extras { no_welcome: true, hosts: options.names };
    let hub =
        HubOptions { data: options.data, markdown: None, port: options.listen.port(), wake: Box::new(|| {}) };
    let hub = Hub::start_with(hub, extras)?;
    let notes = match options.notes {
        notes if notes.is_empty() => all_notes(&hub)?,
        notes => notes.into_iter().map(NoteId).collect(),
    };
    let listen = Some(options.listen);
    for note in &notes {
        ask(&hub, Command::Create { note: note.clone(), text: String::new() })?;
        // The second door is the first one's: its port is known by then.
        ask(&hub, Command::Share { note: note.clone(), listen })?;
    }
    for card in shared(&hub, &notes)? {
        let said = write!(out, "edit {}\nread {}\n", card.edit, card.read);
        said.and_then(|()| out.flush()).map_err(|error| format!("writing the links: {error}"))?;
    }
    loop {
        select! {
            recv(stopped) -> _ => return Ok(()),
            recv(hub.events) -> event => match event {
                Ok(Event::Failed(failure)) => eprintln!("{}", sentence(&failure)),
                Ok(_) => {}
                Err(_) => return Err("the hub has ended".into()),
            }
        }
    }
}

fn ask(hub: &HubHandle, command: Command) -> Result<(), String> {
    hub.commands.send(command).map_err(|_| "the hub has ended".to_owned())
}

/// Every note that is there, or a first one.
fn all_notes(hub: &HubHandle) -> Result<Vec<NoteId>, String> {
    loop {
        match hub.events.recv() {
            Ok(Event::Notes(notes)) if notes.is_empty() => return Ok(vec![NoteId("notes".into())]),
            Ok(Event::Notes(notes)) => return Ok(notes.into_iter().map(|line| line.note).collect()),
            Ok(Event::Failed(failure)) => eprintln!("{}", sentence(&failure)),
            Ok(_) => {}
            Err(_) => return Err("the hub has ended".into()),
        }
    }
}

/// The cards of these notes, in this order.
fn shared(hub: &HubHandle, notes: &[NoteId]) -> Result<Vec<ShareCard>, String> {
    let mut cards = BTreeMap::new();
    while cards.len() < notes.len() {
        match hub.events.recv() {
            Ok(Event::Shared(note, card)) => drop(cards.insert(note, card)),
            Ok(Event::Failed(failure @ (Failure::Listen(_) | Failure::NoSuchNote(_)))) => {
                return Err(sentence(&failure));
            }
            Ok(Event::Failed(failure)) => eprintln!("{}", sentence(&failure)),
            Ok(_) => {}
            Err(_) => return Err("the hub has ended".into()),
        }
    }
    Ok(notes.iter().filter_map(|note| cards.get(note).cloned()).collect())
}

fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Listen(what) | Failure::Link(what) | Failure::Store(what) => what.clone(),
        Failure::NoSuchNote(note) => format!("there is no note {note}"),
        Failure::SetAside(path) => format!("the store was damaged and is set aside as {}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<ServeOptions, String> {
        ServeOptions::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn options_are_read() {
        let options =
            parse(&["--data", "d", "--listen", "127.0.0.1:0", "--note", "a", "--note", "b"]).unwrap();
        assert_eq!(options.notes, ["a", "b"]);
        for (args, said) in [
            (&["--data"][..], "--data needs a value"),
            (&["--listen", "x"], "\"x\" is not like"),
            (&["--data", "d"], "--listen is missing"),
            (&["--listen", "[::1]:0"], "--data is missing"),
            (&["--what"], "--what is no option"),
            (&["--data", "d", "--listen", "[::1]:0", "--note", "a/b"], "\"a/b\""),
        ] {
            let error = parse(args).unwrap_err();
            assert!(error.contains(said), "{args:?}: {error}");
        }
    }
}
