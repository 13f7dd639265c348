//! Conditional requests (RFC 9110 section 13): whether the client's copy is still good.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// What tells one state of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// A weak entity tag of size and time: two writes within the clock's grain look the same.
    pub etag: String,
    /// The last change, in whole seconds as HTTP tells it.
    pub modified: Option<SystemTime>,
}

impl Validators {
    pub fn of(metadata: &Metadata) -> Validators {
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let stamp = since.unwrap_or_default();
        Validators {
            etag: format!("W/\"{:x}-{:x}.{:x}\"", metadata.len(), stamp.as_secs(), stamp.subsec_nanos()),
            modified: since.and_then(|since| UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))),
        }
    }

    /// Whether a GET or HEAD with these headers is answered with 304. If-None-Match wins (section 13.2.2).
    pub fn match_request(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            let texts = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            return texts.into_iter().any(|list| self.is_listed(list));
        }
        let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        let since = since.and_then(|date| httpdate::parse_http_date(date).ok());
        matches!((self.modified, since), (Some(modified), Some(since)) if modified <= since)
    }

    /// Whether the entity tag stands in a list, in the weak comparison (section 8.8.3.2). Tags may contain commas; a
    /// malformed list ends where it becomes so.
    fn is_listed(&self, list: &str) -> bool {
        if list.trim() == "*" {
            return true;
        }
        let ours = self.etag.trim_start_matches("W/");
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            rest = rest.strip_prefix("W/").unwrap_or(rest);
            let Some((tag, behind)) = rest.strip_prefix('"').and_then(|inner| inner.split_once('"')) else {
                return false;
            };
            if ours.trim_matches('"') == tag {
                return true;
            }
            rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn validators() -> Validators {
        Validators {
            etag: "W/\"5-10.0\"".into(),
            modified: Some(UNIX_EPOCH + Duration::from_secs(784_111_777)),
        }
    }

    fn matches(lines: &[(HeaderName, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        validators().match_request(&headers)
    }

    #[test]
    fn conditions() {
        let same = "Sun, 06 Nov 1994 08:49:37 GMT";
        let rows: [(&[(HeaderName, &str)], bool); 18] = [
            (&[], false),
            (&[(IF_NONE_MATCH, "*")], true),
            (&[(IF_NONE_MATCH, "W/\"5-10.0\"")], true),
            (&[(IF_NONE_MATCH, "\"5-10.0\"")], true),
            (&[(IF_NONE_MATCH, "\"a,b\", W/\"x\" ,, \"5-10.0\"")], true),
            (&[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"5-10.0\"")], true),
            (&[(IF_NONE_MATCH, "\"5-10.1\"")], false),
            (&[(IF_NONE_MATCH, "5-10.0")], false),
            (&[(IF_NONE_MATCH, "\"5-10.0")], false),
            (&[(IF_NONE_MATCH, "")], false),
            (&[(IF_NONE_MATCH, "\"a, 5-10.0, b\"")], false),
            (&[(IF_MODIFIED_SINCE, same)], true),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:38 GMT")], true),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")], false),
            (&[(IF_MODIFIED_SINCE, "yesterday")], false),
            (&[(IF_MODIFIED_SINCE, same), (IF_NONE_MATCH, "\"x\"")], false),
            (&[(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT"), (IF_NONE_MATCH, "*")], true),
            (&[(IF_MODIFIED_SINCE, "Sunday, 06-Nov-94 08:49:37 GMT")], true),
        ];
        for (lines, expected) in rows {
            assert_eq!(matches(lines), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn any_condition_is_survived(tags in "[ -~]{0,60}", date in "[ -~]{0,40}") {
            matches(&[(IF_NONE_MATCH, &tags)]);
            matches(&[(IF_MODIFIED_SINCE, &date)]);
        }
    }
}
