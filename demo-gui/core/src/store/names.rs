//! The names of `.md` files, which come from the titles of their notes.

/// Longest name of a file without its ending, in bytes.
const MAX_NAME: usize = 80;

/// The name of a file for a title, without its ending: what every system takes. Never empty.
pub fn file_name(title: &str) -> String {
    let safe = |c: char| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    let words: String = title.chars().filter(|c| !is_invisible(*c)).map(safe).collect();
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

/// What takes no room, or turns the direction of the rest: a name should be what it looks like.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
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
            ("a\u{202e}b\u{200b}c", "abc"),
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
