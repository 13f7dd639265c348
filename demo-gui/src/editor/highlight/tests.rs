use super::*;

/// The pieces with the letters of their looks, for reading: `b` bold, `i` italic, `s` strike, `c` code, `l` link, `m` mark,
/// `q` quote, `u` bullet, and the level of a heading.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for (range, look) in line(text, Fence::Outside) {
        let letters = [
            (look.bold, 'b'),
            (look.italic, 'i'),
            (look.strike, 's'),
            (look.code, 'c'),
            (look.link, 'l'),
            (look.mark, 'm'),
            (look.quote, 'q'),
            (look.bullet, 'u'),
        ];
        out += &text[range];
        out.push('<');
        if look.heading > 0 {
            out += &look.heading.to_string();
        }
        out.extend(letters.iter().filter(|(is, _)| *is).map(|(_, letter)| letter));
        out.push('>');
    }
    out
}

#[test]
fn marks_stay_and_text_is_styled() {
    assert_eq!(shown("# 标题 *x*"), "# <1m>标题 <1b>*<1bm>x<1bi>*<1bm>");
    assert_eq!(shown("#no heading"), "#no heading<>");
    assert_eq!(shown("a **b _c_** d"), "a <>**<m>b <b>_<bm>c<bi>_<bm>**<m> d<>");
    assert_eq!(shown("`a*b*` ~~no~~"), "`<m>a*b*<c>`<m> <>~~<m>no<s>~~<m>");
    assert_eq!(shown("``a`b``"), "``<m>a`b<c>``<m>");
    assert_eq!(shown("[text](http://x) y"), "[<m>text<l>](http://x)<m> y<>");
    assert_eq!(shown("see https://a.b/c."), "see <>https://a.b/c<l>.<>");
    assert_eq!(shown("> so"), "> <mq>so<q>");
    assert_eq!(shown("  - [x] done"), "  <>- <u>[x] <bu>done<s>");
    assert_eq!(shown("12. twelve"), "12. <u>twelve<>");
    assert_eq!(shown("---"), "---<m>");
    assert_eq!(shown("\\*no\\*"), "\\<m>*no<>\\<m>*<>");
}

#[test]
fn what_is_not_closed_is_text() {
    for text in
        ["a * b * c", "2 ** 3", "**open", "`open", "[open](", "snake_case_name", "~~~~", "*", "`", "[](x)"]
    {
        let only_text =
            line(text, Fence::Outside).iter().all(|(_, look)| !look.bold && !look.italic && !look.link);
        assert!(only_text || text == "~~~~", "{text}: {}", shown(text));
    }
}

#[test]
fn a_fence_reaches_over_lines() {
    let mut fence = Fence::Outside;
    let mut looks = Vec::new();
    for text in ["a", "```rust", "let *x* = 1;", "~~~", "```", "*b*"] {
        looks.push(line(text, fence).iter().all(|(_, look)| look.code));
        fence = fence.after(text);
    }
    assert_eq!(looks, [false, true, true, true, true, false]);
    assert_eq!(fence, Fence::Outside);
}

#[test]
fn every_byte_is_covered_once_whatever_the_text() {
    let parts = [
        "*",
        "**",
        "_",
        "`",
        "~~",
        "[",
        "](",
        ")",
        "#",
        " ",
        "\\",
        "你好",
        "👨‍👩‍👧",
        "http://x",
        "- [ ] ",
        "> ",
        "a",
    ];
    let mut seed = 1_u32;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += parts[(seed >> 16) as usize % parts.len()];
        }
        let mut end = 0;
        for (range, _) in line(&text, Fence::Outside) {
            assert_eq!(range.start, end, "{text}");
            assert!(text.is_char_boundary(range.end), "{text}");
            end = range.end;
        }
        assert_eq!(end, text.len(), "{text}");
    }
}

#[test]
fn a_hostile_line_is_not_slow() {
    for part in ["*", "**a", "[a](", "`a", "_a ", "~~"] {
        let text = part.repeat(100_000);
        assert!(!line(&text, Fence::Outside).is_empty());
        let text = part.repeat(INLINE_LIMIT / part.len());
        assert!(!line(&text, Fence::Outside).is_empty());
    }
}
