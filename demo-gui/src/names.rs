//! A random name and colour for somebody who has not chosen one: "Teal Otter", "青色水獭".

use crate::i18n::Language;

/// The colours of people: readable as text on light ground and as a flag under white text.
pub const COLORS: [([u8; 3], &str, &str); 10] = [
    ([0x0d, 0x94, 0x88], "Teal", "青色"),
    ([0x25, 0x63, 0xeb], "Blue", "蓝色"),
    ([0x7c, 0x3a, 0xed], "Violet", "紫色"),
    ([0xdb, 0x27, 0x77], "Pink", "粉色"),
    ([0xdc, 0x26, 0x26], "Red", "红色"),
    ([0xc2, 0x41, 0x0c], "Orange", "橙色"),
    ([0xa1, 0x62, 0x07], "Amber", "琥珀色"),
    ([0x15, 0x80, 0x3d], "Green", "绿色"),
    ([0x0e, 0x74, 0x90], "Cyan", "湖蓝"),
    ([0x4f, 0x46, 0xe5], "Indigo", "靛蓝"),
];

const ANIMALS: [(&str, &str); 12] = [
    ("Otter", "水獭"),
    ("Heron", "苍鹭"),
    ("Fox", "狐狸"),
    ("Panda", "熊猫"),
    ("Crane", "仙鹤"),
    ("Lynx", "猞猁"),
    ("Koala", "考拉"),
    ("Tiger", "老虎"),
    ("Swallow", "燕子"),
    ("Badger", "獾"),
    ("Dolphin", "海豚"),
    ("Sparrow", "麻雀"),
];

/// Random bytes of the system; without them everybody is a Teal Otter, which is better than no window.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// A random name with the colour that it speaks of.
pub fn random_person(language: Language) -> (String, [u8; 3]) {
    let [color, animal] = random::<2>();
    let (color, color_en, color_zh) = COLORS[color as usize % COLORS.len()];
    let (animal_en, animal_zh) = ANIMALS[animal as usize % ANIMALS.len()];
    let name = match language {
        Language::English => format!("{color_en} {animal_en}"),
        Language::Chinese => format!("{color_zh}{animal_zh}"),
    };
    (name, color)
}

/// The name of a new note: 26 characters of base 32, 130 random bits.
pub fn random_note() -> notes_core::link::NoteId {
    let letters = random::<26>().map(|byte| b"abcdefghijklmnopqrstuvwxyz234567"[byte as usize % 32] as char);
    notes_core::link::NoteId(letters.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_name_is_26_characters_of_base_32() {
        let name = random_note().0;
        assert_eq!(name.len(), 26);
        assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{name}");
        assert_ne!(name, random_note().0);
    }

    #[test]
    fn a_person_has_a_name_in_the_language_and_its_colour() {
        for _ in 0..50 {
            let (name, color) = random_person(Language::English);
            let (_, word, _) = COLORS.iter().find(|(rgb, ..)| *rgb == color).expect("a colour of the list");
            assert!(name.starts_with(word), "{name} is not {word}");
            assert!(!random_person(Language::Chinese).0.is_ascii());
        }
    }
}
