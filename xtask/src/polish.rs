//! Turns what cbindgen writes into a header that reads like a manual.
//!
//! - Comments are `/* */`; those of members and short ones stand behind their declaration, aligned with their
//!   neighbours.
//! - Rust's own matters are left out: `# Safety` sections, links and backquotes.
//! - Enums are plain C enums, and no typedef is made of them: they are never parameter types.

/// The longest line that is made.
pub const WIDTH: usize = 120;

/// One line of code with the comment that belongs to it.
struct Entry {
    code: String,
    comment: Vec<String>,
}

impl Entry {
    fn indent(&self) -> &str {
        &self.code[..self.code.len() - self.code.trim_start().len()]
    }

    fn is_define(&self) -> bool {
        self.code.starts_with("#define")
    }

    /// Ends in this line: a function, a field, a constant, a member of an enum.
    fn is_one_line(&self) -> bool {
        self.code.ends_with([';', ',']) || self.is_define()
    }

    /// A field or a member of an enum; not a pointer to a function, whose comment reads better above it.
    fn is_member(&self) -> bool {
        !self.indent().is_empty() && !self.code.contains('(')
    }

    /// The comment, if it may stand behind a declaration in the same line.
    fn trailing(&self) -> Option<String> {
        match &self.comment[..] {
            [line] if self.is_one_line() && self.indent().is_empty() && !self.code.starts_with('}') => {
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

/// A line of code without what only Rust needs: other names for what is a keyword there (`loop` is `event_loop`, `fn`
/// is `fn_`), and the `struct` that cbindgen writes for some types and not for others.
fn code(line: &str) -> String {
    let line = line.trim_end();
    let mut words = String::new();
    let mut word = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        words.push_str(match word.as_str() {
            "event_loop" => "loop",
            other => other.strip_suffix('_').unwrap_or(other),
        });
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

/// How many entries from here on share the column of their comments: the members of a struct or an enum, or
/// declarations of one kind that follow each other closely.
fn run_length(entries: &[Entry]) -> usize {
    let first = &entries[0];
    let same = |entry: &&Entry| {
        entry.indent() == first.indent()
            && entry.is_define() == first.is_define()
            && (entry.is_compact() || !entry.indent().is_empty())
    };
    entries.iter().take_while(same).count().max(1)
}

/// Where the comments of a run begin. Those of members are wrapped, so it is behind the longest member; for others it
/// is behind the longest line of code that leaves room for the longest comment.
fn trailing_column(run: &[Entry]) -> usize {
    let length = |entry: &Entry| entry.code.chars().count();
    if !run[0].indent().is_empty() {
        return run.iter().filter(|entry| entry.is_member()).map(length).max().unwrap_or(0);
    }
    let commented: Vec<(usize, usize)> =
        run.iter().filter_map(|entry| Some((length(entry), entry.trailing()?.chars().count()))).collect();
    let longest = commented.iter().map(|(_, comment)| *comment).max().unwrap_or(0);
    let fitting = commented.iter().map(|(code, _)| *code).filter(|code| code + 1 + longest <= WIDTH);
    fitting.max().unwrap_or(0)
}

/// At the top level everything that takes more than one line has air around it.
fn wants_gap(previous: &Entry, entry: &Entry) -> bool {
    let inside = !entry.indent().is_empty() || entry.code.starts_with('}');
    let alike = entry.is_define() == previous.is_define();
    let neighbours = alike && entry.is_compact() && previous.is_compact();
    !inside && !neighbours
}

fn render_entry(text: &mut String, entry: &Entry, column: usize) {
    if entry.is_member() && !entry.comment.is_empty() {
        // What stands before and behind the words: ` /* ` and ` */`.
        let lines = word_wrap(&entry.comment.join(" "), WIDTH.saturating_sub(column + 7));
        let next = format!("\n{:column$}    ", "");
        text.push_str(&format!("{:column$} /* {} */\n", entry.code, lines.join(&next)));
        return;
    }
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

/// The words of a text in lines of at most `width` characters; a longer word has a line of its own.
fn word_wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A declaration, broken between its parameters and aligned behind its first parenthesis where it is too long.
fn wrapped(code: &str) -> String {
    let Some(open) = code.find('(').filter(|_| code.chars().count() > WIDTH) else {
        return code.to_owned();
    };
    let (head, parameters) = code.split_at(open + 1);
    let mut lines = vec![head.to_owned()];
    for parameter in split_parameters(parameters) {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > open + 1 && length + parameter.trim_end().chars().count() > WIDTH {
            lines.push(" ".repeat(open + 1));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(parameter);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// The parameters, each with the comma and the space behind it; those of a pointer to a function stay together.
fn split_parameters(text: &str) -> Vec<&str> {
    let mut parameters = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && text[..index].ends_with(',') => {
                parameters.push(&text[start..=index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parameters.push(&text[start..]);
    parameters
}
