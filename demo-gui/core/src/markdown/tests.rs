use std::ops::Range;

use super::*;

/// A text with the selection between `‹` and `›`, or the caret as `¦`.
fn parse(marked: &str) -> (String, Range<usize>) {
    if let Some(at) = marked.find('¦') {
        return (marked.replace('¦', ""), at..at);
    }
    let start = marked.find('‹').expect("a selection");
    let end = marked.find('›').expect("its end") - '‹'.len_utf8();
    (marked.replace(['‹', '›'], ""), start..end)
}

fn show(text: &str, selection: &Range<usize>) -> String {
    let mut out = text.to_owned();
    if selection.is_empty() {
        out.insert(selection.start, '¦');
    } else {
        out.insert(selection.end, '›');
        out.insert(selection.start, '‹');
    }
    out
}

fn run(edit: impl Fn(&str, Range<usize>) -> Change, marked: &str) -> String {
    let (mut text, selection) = parse(marked);
    let change = edit(&text, selection);
    text.replace_range(change.range, &change.text);
    show(&text, &change.selection)
}

fn check(edit: impl Fn(&str, Range<usize>) -> Change + Copy, table: &[(&str, &str)]) {
    for (before, after) in table {
        assert_eq!(run(edit, before), *after, "{before}");
    }
}

#[test]
fn bold_is_put_and_taken() {
    check(
        bold,
        &[
            ("a ‹word› b", "a **‹word›** b"),
            ("a **‹word›** b", "a ‹word› b"),
            ("a ‹**word**› b", "a ‹word› b"),
            ("你好‹世界›！", "你好**‹世界›**！"),
            ("a‹ word ›b", "a **‹word›** b"),
            ("*‹both›*", "***‹both›***"),
            ("***‹both›***", "*‹both›*"),
            ("x¦y", "x**¦**y"),
            ("x**¦**y", "x¦y"),
            ("‹😀›", "**‹😀›**"),
            ("‹- one\n- 二›", "- **‹one**\n- **二›**"),
            ("‹- **one**\n- **二**›", "- ‹one\n- 二›"),
            ("‹one\n\n**two**›", "**‹one**\n\n**two›**"),
            ("¦", "**¦**"),
            ("‹   ›", "**¦**   "),
        ],
    );
}

#[test]
fn italic_knows_bold() {
    check(
        italic,
        &[
            ("‹a›", "*‹a›*"),
            ("*‹a›*", "‹a›"),
            ("**‹a›**", "***‹a›***"),
            ("***‹a›***", "**‹a›**"),
            ("‹**世**›", "***‹世›***"),
        ],
    );
}

#[test]
fn code_knows_backquotes_and_blocks() {
    check(
        code,
        &[
            ("run ‹make› now", "run `‹make›` now"),
            ("run `‹make›` now", "run ‹make› now"),
            ("‹a`b›", "`` ‹a`b› ``"),
            ("‹`` a`b ``›", "‹a`b›"),
            ("x\n‹let a;\nlet 世;›\ny", "x\n‹```\nlet a;\nlet 世;\n```›\ny"),
            ("x\n‹```\nlet a;\nlet 世;\n```›\ny", "x\n‹let a;\nlet 世;›\ny"),
            ("‹a\n```\nb›", "‹````\na\n```\nb\n````›"),
        ],
    );
}

#[test]
fn lines_become_tasks_and_are_ticked() {
    check(
        toggle_checkbox,
        &[
            ("买¦牛奶", "- [ ] 买¦牛奶"),
            ("- [ ] 买¦牛奶", "- [x] 买¦牛奶"),
            ("- [x] 买¦牛奶", "- [ ] 买¦牛奶"),
            ("- mi¦lk", "- [ ] mi¦lk"),
            ("  1. mi¦lk", "  1. [ ] mi¦lk"),
            ("¦", "- [ ] ¦"),
            ("‹a\n\nb›\nc", "- [ ] ‹a\n\n- [ ] b›\nc"),
            ("‹- [ ] a\nb\n›c", "- [ ] ‹a\n- [ ] b›\nc"),
            ("‹- [ ] a\n- [x] b›", "- [x] ‹a\n- [x] b›"),
            ("‹- [x] a\n- [x] b›", "- [ ] ‹a\n- [ ] b›"),
            ("> qu¦ote", "> - [ ] qu¦ote"),
        ],
    );
}

#[test]
fn a_click_in_the_preview_flips_one() {
    let text = "# 清单\n- [ ] 牛奶 [x]\n- [x] 面包\n- tea";
    let flip = |needle: &str| {
        let mut text = text.to_owned();
        let change = flip_checkbox(&text, text.find(needle).unwrap())?;
        text.replace_range(change.range, &change.text);
        Some(text)
    };
    assert_eq!(flip("牛奶").unwrap(), "# 清单\n- [x] 牛奶 [x]\n- [x] 面包\n- tea");
    assert_eq!(flip("面包").unwrap(), "# 清单\n- [ ] 牛奶 [x]\n- [ ] 面包\n- tea");
    assert_eq!(flip("tea"), None);
    assert_eq!(flip("清单"), None);
    assert_eq!(flip_checkbox("- [ ] 世", 7), None);
}

#[test]
fn enter_goes_on_with_a_list() {
    let table = [
        ("- a¦", Some("- a\n- ¦")),
        ("* 一¦二", Some("* 一\n* ¦二")),
        ("  + a¦", Some("  + a\n  + ¦")),
        ("9. a¦", Some("9. a\n10. ¦")),
        ("1) a¦", Some("1) a\n2) ¦")),
        ("- [x] 完成¦", Some("- [x] 完成\n- [ ] ¦")),
        ("> 引用¦", Some("> 引用\n> ¦")),
        ("- a\n- ¦", Some("- a\n¦")),
        ("- [ ] ¦\nb", Some("¦\nb")),
        ("- ‹a›b", Some("- \n- ¦b")),
        ("- [link](x)¦", Some("- [link](x)\n- ¦")),
        ("¦- a", None),
        ("-¦ a", None),
        ("plain¦", None),
        ("-no¦", None),
        ("2024 年¦", None),
        ("**bold**¦", None),
        ("```\n- a¦", None),
        ("```\n```\n- a¦", Some("```\n```\n- a\n- ¦")),
        ("99999999999999999999. a¦", None),
    ];
    for (before, after) in table {
        let (mut text, selection) = parse(before);
        let change = enter(&text, selection);
        let shown = change.map(|change| {
            text.replace_range(change.range, &change.text);
            show(&text, &change.selection)
        });
        assert_eq!(shown.as_deref(), after, "{before}");
    }
}

#[test]
fn titles_are_plain() {
    let table = [
        ("", ""),
        ("\n  \n# WebSocket 学习笔记 #\nx", "WebSocket 学习笔记"),
        ("---\n\n**粗** and *thin*", "粗 and thin"),
        ("- [x] 买 `milk`", "买 milk"),
        ("> 1. quoted", "quoted"),
        ("#hashtag", "#hashtag"),
        ("####### seven", "####### seven"),
        ("[链接](http://x/_a_) ![图](b.png) end", "链接 图 end"),
        ("snake_case and _it_ and 2 * 3", "snake_case and it and 2 * 3"),
        ("a \\*literal\\*", "a *literal*"),
        ("```rust\nfn main", "fn main"),
        ("#\n\nlater", "later"),
        ("a\u{0}b\u{7}", "ab"),
        ("~~gone~~ ~5", "gone ~5"),
        ("[open", "[open"),
    ];
    for (text, expected) in table {
        assert_eq!(title(text), expected, "{text:?}");
    }
    assert_eq!(title(&"字".repeat(500)).chars().count(), 120);
}

#[test]
fn words_are_counted_in_both_scripts() {
    let table = [
        ("", 0),
        ("Hello, world!", 2),
        ("你好，世界！", 4),
        ("Hello 世界 abc", 4),
        ("don't e-mail 3.14", 3),
        ("WebSocket学习", 3),
        ("- [ ] x\n\n# y", 2),
        ("😀 🎉", 0),
        ("ひらがな", 4),
    ];
    for (text, expected) in table {
        assert_eq!(words(text), expected, "{text:?}");
    }
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Bits of Markdown in any order, and two character boundaries of the text.
    fn text_and_selection() -> impl Strategy<Value = (String, Range<usize>)> {
        let bit = prop::sample::select(vec![
            "**",
            "*",
            "`",
            "```",
            "\n",
            " ",
            "- ",
            "- [ ] ",
            "[x]",
            "1. ",
            "> ",
            "世",
            "😀",
            "👩\u{200d}👧",
            "a",
            "é",
            "\t",
            "\\",
            "[",
            "](",
            ")",
            "#",
            "~",
            "_",
            "\u{0}",
            "\u{202e}",
        ]);
        let text = prop::collection::vec(bit, 0..30).prop_map(|bits| bits.concat());
        (text, any::<[prop::sample::Index; 2]>()).prop_map(|(text, ends)| {
            let [a, b] = ends.map(|end| text.floor_char_boundary(end.index(text.len() + 1)));
            (text, a.min(b)..a.max(b))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn changes_are_changes_of_the_text((text, selection) in text_and_selection()) {
            let changes = [bold, italic, code, toggle_checkbox].map(|edit| edit(&text, selection.clone()));
            let more = [enter(&text, selection.clone()), flip_checkbox(&text, selection.start)];
            for change in changes.into_iter().chain(more.into_iter().flatten()) {
                prop_assert!(text.get(change.range.clone()).is_some(), "{change:?}");
                let mut after = text.clone();
                after.replace_range(change.range.clone(), &change.text);
                prop_assert!(after.get(change.selection.clone()).is_some(), "{change:?} {after:?}");
            }
            prop_assert!(title(&text).chars().all(|c| !c.is_control() || c == '\t'));
            prop_assert!(words(&text) <= text.chars().count());
        }
    }
}
