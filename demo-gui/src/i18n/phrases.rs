//! Texts with something filled in.

use super::{Language, Words};

impl Words {
    fn is_english(&self) -> bool {
        self.language == Language::English
    }

    /// "1 word", "412 words"; Chinese counts characters.
    pub fn count_words(&self, count: usize) -> String {
        match (self.is_english(), count) {
            (true, 1) => "1 word".into(),
            (true, _) => format!("{count} words"),
            (false, _) => format!("{count} 字"),
        }
    }

    /// The caret's place, counted from one.
    pub fn line_column(&self, line: usize, column: usize) -> String {
        if self.is_english() {
            format!("Ln {line}, Col {column}")
        } else {
            format!("第 {line} 行，第 {column} 列")
        }
    }

    /// Everybody who has the note open, us too.
    pub fn people(&self, count: usize) -> String {
        match (self.is_english(), count) {
            (true, 1) => "1 person".into(),
            (true, _) => format!("{count} people"),
            (false, _) => format!("{count} 人"),
        }
    }

    /// The host is away; what was typed meanwhile is kept.
    pub fn reconnecting(&self, seconds: u64, kept: u32) -> String {
        let (when, what) = if self.is_english() {
            let when = if seconds == 0 { "now".to_owned() } else { format!("in {seconds} s") };
            let what = match kept {
                0 => "nothing is lost".to_owned(),
                1 => "your change is kept".to_owned(),
                _ => format!("your {kept} changes are kept"),
            };
            (format!("Reconnecting {when}"), what)
        } else {
            let when = if seconds == 0 {
                "正在重新连接".to_owned()
            } else {
                format!("{seconds} 秒后重新连接")
            };
            (
                when,
                if kept == 0 {
                    "不会丢失任何内容".to_owned()
                } else {
                    format!("您的 {kept} 处修改已保留")
                },
            )
        };
        if self.is_english() { format!("{when}, {what}") } else { format!("{when}，{what}") }
    }

    /// "2 min ago".
    pub fn ago(&self, ms: u64) -> String {
        let minutes = ms / 60_000;
        let (hours, days) = (minutes / 60, minutes / 1440);
        match (self.is_english(), minutes, hours, days) {
            (_, 0, ..) => self.just_now.into(),
            (true, _, 0, _) => format!("{minutes} min ago"),
            (true, _, _, 0) => format!("{hours} h ago"),
            (true, ..) if days == 1 => "yesterday".into(),
            (true, ..) => format!("{days} days ago"),
            (false, _, 0, _) => format!("{minutes} 分钟前"),
            (false, _, _, 0) => format!("{hours} 小时前"),
            (false, ..) if days == 1 => "昨天".into(),
            (false, ..) => format!("{days} 天前"),
        }
    }

    /// Which of the found places is shown.
    pub fn match_of(&self, current: usize, count: usize) -> String {
        if self.is_english() {
            format!("{current} of {count}")
        } else {
            format!("第 {current} 处，共 {count} 处")
        }
    }

    /// The chip of somebody whom we follow.
    pub fn following(&self, name: &str) -> String {
        if self.is_english() { format!("Following {name}") } else { format!("正在跟随 {name}") }
    }

    /// What a click on a chip does.
    pub fn follow(&self, name: &str) -> String {
        if self.is_english() { format!("Follow {name}") } else { format!("跟随 {name}") }
    }

    /// The toast after an export.
    pub fn exported(&self, path: &str) -> String {
        if self.is_english() { format!("Exported to {path}") } else { format!("已导出到 {path}") }
    }

    /// The toast when a file cannot be read or written.
    pub fn file_failed(&self, path: &str, why: &str) -> String {
        if self.is_english() { format!("{path}: {why}") } else { format!("{path}：{why}") }
    }

    /// The toast after a deletion.
    pub fn deleted_note(&self, title: &str) -> String {
        if self.is_english() {
            format!("{} “{title}”", self.deleted)
        } else {
            format!("{}“{title}”", self.deleted)
        }
    }

    /// Somebody came.
    pub fn joined(&self, name: &str) -> String {
        if self.is_english() { format!("{name} is here") } else { format!("{name} 来了") }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CHINESE, ENGLISH};

    #[test]
    fn numbers_are_said_well() {
        assert_eq!(ENGLISH.count_words(1), "1 word");
        assert_eq!(ENGLISH.people(3), "3 people");
        assert_eq!(ENGLISH.reconnecting(3, 3), "Reconnecting in 3 s, your 3 changes are kept");
        assert_eq!(ENGLISH.reconnecting(0, 0), "Reconnecting now, nothing is lost");
        assert_eq!(CHINESE.reconnecting(3, 2), "3 秒后重新连接，您的 2 处修改已保留");
        assert_eq!(ENGLISH.ago(59_999), "just now");
        assert_eq!(ENGLISH.ago(120_000), "2 min ago");
        assert_eq!(ENGLISH.ago(3 * 3_600_000), "3 h ago");
        assert_eq!(ENGLISH.ago(86_400_000), "yesterday");
        assert_eq!(CHINESE.ago(5 * 86_400_000), "5 天前");
    }
}
