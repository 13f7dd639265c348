//! What is read of a text: its title, its words.

use super::lines::content_of;

/// The longest title, in characters.
const MAX_TITLE: usize = 120;

/// The first line that has something to say, without Markdown marks; empty when there is none.
pub fn title(text: &str) -> String {
    text.lines().map(bare).find(|line| !line.is_empty()).unwrap_or_default()
}

fn bare(line: &str) -> String {
    let line = line[content_of(line)..].trim();
    let heading = line.trim_start_matches('#');
    let level = line.len() - heading.len();
    let line = if (1..=6).contains(&level) && (heading.is_empty() || heading.starts_with([' ', '\t'])) {
        heading.trim().trim_end_matches('#').trim_end()
    } else {
        line
    };
    if line.starts_with("```") || line.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' ' | '|' | ':')) {
        return String::new();
    }
    let plain = without_marks(&without_links(line));
    let shown = plain.chars().filter(|c| !c.is_control() || *c == '\t').take(MAX_TITLE).collect::<String>();
    shown.trim().to_owned()
}

/// `[text](address)` and `![text](address)` become their text.
fn without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let inner = &rest[open + 1..];
        let link =
            inner.find("](").and_then(|close| Some((close, close + 2 + inner[close + 2..].find(')')?)));
        let Some((close, end)) = link else { break };
        out.push_str(rest[..open].strip_suffix('!').unwrap_or(&rest[..open]));
        out.push_str(&inner[..close]);
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    out
}

/// Stars, backquotes and waves that touch a word, and underscores at its edges; one that is escaped stays.
fn without_marks(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    let is_space = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_none_or(|c| c.is_whitespace());
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        match c {
            '\\' if chars.get(at + 1).is_some_and(char::is_ascii_punctuation) => {
                at += 1;
                out.push(chars[at]);
            }
            '*' | '`' | '~' | '_' => {
                let end = at + chars[at..].iter().take_while(|other| **other == c).count();
                let (before, after) = (at.checked_sub(1), Some(end));
                let alone = is_space(before) && is_space(after);
                let within = c == '_' && is_word(before) && is_word(after);
                let single_wave = c == '~' && end - at == 1;
                if alone || within || single_wave {
                    out.extend(&chars[at..end]);
                }
                at = end - 1;
            }
            _ => out.push(c),
        }
        at += 1;
    }
    out
}

/// How many words: runs of letters and digits, and each character of a script that writes none apart.
pub fn words(text: &str) -> usize {
    let mut count = 0;
    let mut in_word = false;
    for c in text.chars() {
        if is_ideograph(c) {
            count += 1;
            in_word = false;
        } else if c.is_alphanumeric() {
            count += usize::from(!in_word);
            in_word = true;
        } else if !matches!(c, '\'' | '’' | '-' | '_' | '.' | '\u{300}'..='\u{36f}') {
            // "don't", "e-mail" and "3.14" are one word each.
            in_word = false;
        }
    }
    count
}

/// Chinese characters, kana: a word processor counts each.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}
