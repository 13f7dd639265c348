//! Turns what cbindgen writes into a header that reads like a manual.
//!
//! - Comments are `/* */`; a short one stands behind its declaration, aligned with its neighbours.
//! - Rust's own matters are left out: `# Safety` sections, links and backquotes.
//! - Enums are plain C enums, and no typedef is made of them: they are never parameter types.

/// The longest line that is made.
pub const WIDTH: usize = 110;

/// One line of code with the comment that belongs to it.
struct Entry {
    code: String,
    comment: Vec<String>,
}

impl Entry {
    fn indent(&self) -> &str {
        &self.code[..self.code.len() - self.code.trim_start().len()]
    }

    /// Ends in this line: a function, a field, a constant, a member of an enum.
    fn is_one_line(&self) -> bool {
        self.code.ends_with([';', ',']) || self.code.starts_with("#define")
    }

    /// The comment, if it may stand behind the code.
    fn trailing(&self) -> Option<String> {
        match &self.comment[..] {
            [line] if self.is_one_line() && !self.code.starts_with('}') => {
                let comment = format!("/* {line} */");
                (self.code.chars().count() + 1 + comment.chars().count() <= WIDTH).then_some(comment)
            }
            _ => None,
        }
    }

    /// Whether it needs no empty lines around it at the top level.
    fn is_compact(&self) -> bool {
        self.is_one_line()
            && !self.code.starts_with('}')
            && (self.comment.is_empty() || self.trailing().is_some())
    }
}

/// The polished text of what cbindgen made of one file.
pub fn part(raw: &str) -> String {
    let mut entries = entries(&plain_enums(raw));
    align(&mut entries, "enum ", name_and_value);
    align(&mut entries, "typedef struct ", type_and_name);
    render(&entries)
}

/// Removes the underlying types and the typedefs of enums, which C before C23 does not have.
fn plain_enums(raw: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut conditional = false;
    for line in raw.lines() {
        match line.trim() {
            start if start.starts_with("#if __STDC_VERSION__") => conditional = true,
            end if end.starts_with("#endif") => conditional = false,
            _ if conditional => {}
            "{" => {
                if let Some(last) = lines.last_mut() {
                    last.push_str(" {");
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut comment = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.trim_start().strip_prefix("//") {
            Some(words) => comment.push(words.strip_prefix(' ').unwrap_or(words).to_owned()),
            None => entries.push(Entry { code: code(line), comment: prose(&std::mem::take(&mut comment)) }),
        }
    }
    entries
}

/// A line of code without what only Rust needs: the underscore behind names that are keywords there, and the
/// `struct` that cbindgen writes for some types and not for others.
fn code(line: &str) -> String {
    let line = line.trim_end();
    let mut words = String::new();
    let mut word = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        words.push_str(word.strip_suffix('_').unwrap_or(&word));
        word.clear();
        words.push(character);
    }
    let words = words.trim_end();
    if words.starts_with("typedef struct") || words.starts_with("struct") {
        words.to_owned()
    } else {
        words.replace("struct libws_", "libws_")
    }
}

/// The lines of a doc comment for readers of C.
fn prose(lines: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut skipping = false;
    for line in lines {
        if let Some(headline) = line.strip_prefix("# ") {
            skipping = headline.trim() == "Safety";
            if !skipping {
                kept.push(format!("{}:", plain(headline)));
            }
        } else if !skipping && !line.starts_with("```") {
            kept.push(plain(line));
        }
    }
    while kept.last().is_some_and(|line| line.is_empty()) {
        kept.pop();
    }
    kept
}

/// One line without Markdown, and without what would end the comment.
fn plain(line: &str) -> String {
    let mut text = line.trim_end().replace("\\[", "[").replace("\\]", "]").replace("*/", "* /");
    while let Some((start, end)) = link(&text) {
        let name = text[start + 2..end].to_owned();
        let mut rest = text[end + 2..].to_owned();
        if rest.starts_with('(') {
            rest = rest.split_once(')').map_or_else(String::new, |(_, after)| after.to_owned());
        }
        text = format!("{}{name}{rest}", &text[..start]);
    }
    text.replace('`', "")
}

/// The positions of the opening and closing marks of the first link to an item.
fn link(text: &str) -> Option<(usize, usize)> {
    let start = text.find("[`")?;
    let end = start + text[start..].find("`]")?;
    Some((start, end))
}

/// Aligns the lines of every block that begins with `opening`: `split` gives the two halves of a line.
fn align(entries: &mut [Entry], opening: &str, split: fn(&str) -> Option<(&str, &str)>) {
    let mut rest = entries;
    while let Some(first) = rest.iter().position(|entry| entry.code.starts_with(opening)) {
        rest = &mut rest[first + 1..];
        let count = rest.iter().take_while(|entry| !entry.code.starts_with('}')).count();
        let (members, after) = rest.split_at_mut(count);
        let halves = members.iter().filter_map(|entry| split(&entry.code));
        let width = halves.map(|(left, _)| left.len()).max().unwrap_or(0);
        for entry in members {
            if let Some((left, right)) = split(&entry.code) {
                entry.code = format!("{left:width$} {right}");
            }
        }
        rest = after;
    }
}

/// The name and the value of a member of an enum.
fn name_and_value(line: &str) -> Option<(&str, &str)> {
    let end = line.find(" = ")?;
    Some((&line[..end], &line[end + 1..]))
}

/// The type and the name of a field; pointers to functions are left as they are.
fn type_and_name(line: &str) -> Option<(&str, &str)> {
    if line.contains('(') { None } else { line.rsplit_once(' ') }
}

fn render(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut start = 0;
    while start < entries.len() {
        let run = run_length(&entries[start..]);
        let column = trailing_column(&entries[start..start + run]);
        for (index, entry) in entries.iter().enumerate().skip(start).take(run) {
            if index > 0 && wants_gap(&entries[index - 1], entry) {
                text.push('\n');
            }
            render_entry(&mut text, entry, column);
        }
        start += run;
    }
    text
}

/// How many entries from here on share the column of their comments.
fn run_length(entries: &[Entry]) -> usize {
    let indent = entries[0].indent().len();
    let same = |entry: &&Entry| entry.is_compact() && entry.indent().len() == indent;
    entries.iter().take_while(same).count().max(1)
}

/// Where the comments of a run begin: behind its longest line of code that leaves room for its longest comment.
fn trailing_column(run: &[Entry]) -> usize {
    let commented: Vec<(usize, usize)> = run
        .iter()
        .filter_map(|entry| Some((entry.code.chars().count(), entry.trailing()?.chars().count())))
        .collect();
    let longest = commented.iter().map(|(_, comment)| *comment).max().unwrap_or(0);
    let fitting = commented.iter().map(|(code, _)| *code).filter(|code| code + 1 + longest <= WIDTH);
    fitting.max().unwrap_or(0)
}

/// At the top level everything that takes more than one line has air around it.
fn wants_gap(previous: &Entry, entry: &Entry) -> bool {
    let inside = !entry.indent().is_empty() || entry.code.starts_with('}');
    let neighbours = entry.is_compact() && previous.is_compact();
    !inside && !neighbours
}

fn render_entry(text: &mut String, entry: &Entry, column: usize) {
    if let Some(comment) = entry.trailing() {
        text.push_str(&format!("{:column$} {comment}\n", entry.code));
        return;
    }
    if let Some((last, first)) = entry.comment.split_last() {
        let indent = entry.indent();
        for (index, line) in first.iter().enumerate() {
            let mark = if index == 0 { "/*" } else { " *" };
            text.push_str(format!("{indent}{mark} {line}").trim_end());
            text.push('\n');
        }
        let mark = if first.is_empty() { "/*" } else { " *" };
        text.push_str(&format!("{indent}{mark} {last} */\n"));
    }
    text.push_str(&wrapped(&entry.code));
    text.push('\n');
}

/// A declaration, broken at its commas and aligned behind its first parenthesis where it is too long.
fn wrapped(code: &str) -> String {
    let Some(open) = code.find('(').filter(|_| code.chars().count() > WIDTH) else {
        return code.to_owned();
    };
    let mut lines = vec![String::new()];
    for piece in code.split_inclusive(", ") {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > open + 1 && line + piece.trim_end().chars().count() > WIDTH {
            lines.push(" ".repeat(open + 1));
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(piece);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
