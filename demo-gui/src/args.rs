//! The command line.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// `--help`.
pub const USAGE: &str = "\
Collaborative notes on libws.

Usage: demo-gui [--data DIR] [--host ADDR] [--join LINK]
       demo-gui --serve --listen ADDR [--data DIR] [--note NAME]...

  --data DIR     where notes and settings live [the data folder of your system]
  --host ADDR    share the note that opens, listening on ADDR, for example 0.0.0.0:8765
  --join LINK    join a note by its link: http://HOST:PORT/#... or ws://HOST:PORT/ROOM
  --serve        no window: host notes until Ctrl-C and print their links
  --listen ADDR  where --serve listens, for example 0.0.0.0:8765
  --note NAME    a note that --serve hosts; made when it is not there
  --help         this text
  --version      the version
";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The folder of notes and settings, where it is given.
    pub data: Option<PathBuf>,
    /// Share the first note at once, listening here.
    pub host: Option<SocketAddr>,
    /// Join a note at once.
    pub join: Option<String>,
    /// Host without a window.
    pub serve: Option<Serve>,
    /// Print this and end.
    pub print: Option<&'static str>,
}

/// `--serve`.
#[derive(Debug, PartialEq, Eq)]
pub struct Serve {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The notes to host.
    pub notes: Vec<String>,
}

/// Reads the command line without its first word. An error says which argument is wrong and why.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, String> {
    let mut out = Arguments::default();
    let (mut serve, mut listen, mut notes) = (false, None, Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("data") => out.data = Some(value(&mut parser, "--data")?.into()),
            Long("host") => out.host = Some(address("--host", text(&mut parser, "--host")?)?),
            Long("join") => out.join = Some(text(&mut parser, "--join")?),
            Long("serve") => serve = true,
            Long("listen") => listen = Some(address("--listen", text(&mut parser, "--listen")?)?),
            Long("note") => notes.push(text(&mut parser, "--note")?),
            Long("help") | Short('h') => out.print = Some(USAGE),
            Long("version") | Short('V') => {
                out.print = Some(concat!("demo-gui ", env!("CARGO_PKG_VERSION"), "\n"))
            }
            other => return Err(format!("{}; see --help", other.unexpected())),
        }
    }
    match (serve, listen) {
        (true, Some(listen)) => out.serve = Some(Serve { listen, notes }),
        (true, None) => return Err("--serve needs --listen ADDR, for example --listen 0.0.0.0:8765".into()),
        (false, Some(_)) => return Err("--listen belongs to --serve; with a window it is --host ADDR".into()),
        (false, None) if !notes.is_empty() => return Err("--note belongs to --serve".into()),
        (false, None) => {}
    }
    if out.serve.is_some() && (out.host.is_some() || out.join.is_some()) {
        return Err("--serve has no window: --host and --join do not go with it".into());
    }
    Ok(out)
}

fn value(parser: &mut lexopt::Parser, option: &str) -> Result<OsString, String> {
    let value = parser.value().map_err(|_| format!("{option} needs a value; see --help"))?;
    if value.is_empty() { Err(format!("{option} is empty")) } else { Ok(value) }
}

fn text(parser: &mut lexopt::Parser, option: &str) -> Result<String, String> {
    value(parser, option)?.into_string().map_err(|value| format!("{option} {value:?} is not UTF-8"))
}

/// An address; a missing host is every interface, a name is looked up.
fn address(option: &str, text: String) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.clone() };
    let why = match full.to_socket_addrs().map(|mut found| found.next()) {
        Ok(Some(address)) => return Ok(address),
        Ok(None) => "no such address".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!("{option} {text:?} is no ADDRESS:PORT ({why}); for example 0.0.0.0:8765"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_is_read() {
        assert_eq!(parsed(""), Ok(Arguments::default()));
        let all = parsed("--data d --host 127.0.0.1:8765 --join http://a:1/#n.t").expect("valid");
        assert_eq!(all.data, Some(PathBuf::from("d")));
        assert_eq!(all.host, Some(([127, 0, 0, 1], 8765).into()));
        assert_eq!(all.join.as_deref(), Some("http://a:1/#n.t"));
        assert_eq!(parsed("--host :80").expect("valid").host, Some(([0, 0, 0, 0], 80).into()));
        let serve =
            parsed("--serve --listen=127.0.0.1:0 --note a --note b").expect("valid").serve.expect("serve");
        assert_eq!(serve, Serve { listen: ([127, 0, 0, 1], 0).into(), notes: vec!["a".into(), "b".into()] });
        assert_eq!(parsed("--help").expect("valid").print, Some(USAGE));
    }

    #[test]
    fn an_error_names_the_argument() {
        for (line, part) in [
            ("--what", "'--what'"),
            ("stray", "\"stray\""),
            ("--data", "--data needs a value"),
            ("--host nonsense", "--host \"nonsense\" is no ADDRESS:PORT"),
            ("--host 127.0.0.1:99999", "--host \"127.0.0.1:99999\" is no ADDRESS:PORT"),
            ("--serve", "--serve needs --listen"),
            ("--listen 127.0.0.1:1", "--listen belongs to --serve"),
            ("--note n", "--note belongs to --serve"),
            ("--serve --listen 127.0.0.1:1 --join x", "--serve has no window"),
        ] {
            let error = parsed(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
