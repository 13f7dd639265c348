//! Titles, and the names of `.md` files that come from them.

/// Longest name of a file without its ending, in bytes.
const MAX_NAME: usize = 80;

/// Longest title, in characters.
const MAX_TITLE: usize = 120;

/// A note's title: its first line that is not blank, without Markdown marks; may be empty.
pub fn title(text: &str) -> String {
    let plain = |line: &str| {
        let line = line.trim().trim_start_matches(['#', '>', '-', '*', '+']).trim_start();
        let line = line.strip_prefix("[ ]").or(line.strip_prefix("[x]")).unwrap_or(line);
        let visible = |c: &char| {
            !c.is_control()
                && !matches!(c, '*' | '`' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        line.chars().filter(visible).take(MAX_TITLE).collect::<String>().trim().to_owned()
    };
    text.lines().map(plain).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The name of a file for a title, without its ending: what every system takes. Never empty.
pub fn file_name(title: &str) -> String {
    let safe = |c: char| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    let words: String = title.chars().map(safe).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name = words.trim_matches(['.', ' ', '~', '-']).to_owned();
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    let name = name.trim_end_matches(['.', ' ']);
    match name {
        "" => "Untitled".into(),
        name if is_reserved(name) => format!("{name}_"),
        name => name.to_owned(),
    }
}

/// Windows keeps these for devices, with any ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

/// Whether a file named `file` may stay with a note whose name should be `wanted`: it is that, or that and a number. Upper
/// and lower case are the same: on some systems they are one file.
pub fn fits(file: &str, wanted: &str) -> bool {
    let (file, wanted) = (file.to_lowercase(), wanted.to_lowercase());
    let Some(stem) = file.strip_suffix(".md") else { return false };
    match stem.strip_prefix(wanted.as_str()) {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix(' ').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_says_something_is_the_title() {
        for (text, expected) in [
            ("", ""),
            ("\n\n  \n", ""),
            ("# WebSocket 学习笔记\nmore", "WebSocket 学习笔记"),
            ("\n---\n## **Bold** `code`", "Bold code"),
            ("- [ ] milk", "milk"),
            ("> said", "said"),
            ("a\u{202e}b\u{0}c", "abc"),
            ("🎉", "🎉"),
        ] {
            assert_eq!(title(text), expected, "{text:?}");
        }
        assert_eq!(title(&"长".repeat(500)).chars().count(), MAX_TITLE);
    }

    #[test]
    fn names_are_taken_by_every_system() {
        for (title, expected) in [
            ("", "Untitled"),
            ("..", "Untitled"),
            ("a/b\\c:d", "a b c d"),
            ("../../etc/passwd", "etc passwd"),
            ("con", "con_"),
            ("Com1.x", "Com1.x_"),
            ("学习 笔记", "学习 笔记"),
            ("end.", "end"),
            (".hidden", "hidden"),
        ] {
            assert_eq!(file_name(title), expected, "{title:?}");
        }
        let long = file_name(&"长".repeat(100));
        assert!(long.len() <= MAX_NAME && long.chars().all(|c| c == '长'));
    }

    #[test]
    fn a_file_stays_while_its_name_fits() {
        assert!(fits("a.md", "a") && fits("a.md", "A") && fits("a 2.md", "a") && fits("a 17.md", "a"));
        assert!(!fits("a b.md", "a") && !fits("ab.md", "a") && !fits("a .md", "a") && !fits("b.md", "a"));
    }
}
