//! Paths below an API's address, and the names within them.

/// A name as one segment of a path or one value of a query: nothing in it ends it (RFC 3986, 2.3). A name that climbs, `..` or
/// `a/../..`, stays one for whoever decodes it, and [`climbs`] refuses it.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Why `path` cannot be asked: something in it is read as more than a name, here (WHATWG URL takes `%2e%2e` for `..`, `\` for `/`,
/// and drops tabs and line breaks) or behind a server that decodes `%2F` before it looks.
pub(super) fn climbs(path: &str) -> Option<&'static str> {
    if path.chars().any(|c| c.is_control() || c == '\\' || c == '#') {
        return Some("it holds a `#`, a `\\` or a control character that is not escaped");
    }
    let path = path.split('?').next().unwrap_or_default();
    let names = decoded(path.as_bytes());
    let dots = |name: &[u8]| name == b"." || name == b"..";
    names.split(|b| *b == b'/' || *b == b'\\').any(dots).then_some("a name in it is `.` or `..`, which leads elsewhere")
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    #[test]
    fn names_that_lead_elsewhere_are_told() {
        for good in [
            "repos/acme/shop/pulls?state=all&head=a..b",
            "repos/acme/shop/compare/a...b",
            "projects/acme%2Fshop/repository/files/.gitlab-ci.yml?ref=..",
            "repos/acme/.github/commits",
            "repos/acme/a..b",
            "repos/acme/...",
            "",
        ] {
            assert_eq!(climbs(good), None, "{good}");
        }
        for bad in [
            "repos/acme/../../user",
            "repos/acme/./x",
            "repos/..",
            "repos/%2e%2E/x",
            "repos/.%2e/x",
            "projects/..%2Fuser",
            "projects/a%2F..%2f..%2fuser",
            "projects/a%5c..%5cuser",
            "repos/a\\..\\x",
            "repos/.\t./x",
            "repos/.\n./x",
            "repos/a#/pulls",
        ] {
            assert!(climbs(bad).is_some(), "{bad}");
        }
        assert!(climbs(&format!("repos/{}/x", segment(".."))).is_some());
        assert!(climbs(&format!("repos/{}/x", segment("x/../.."))).is_some());
    }

    proptest! {
        #[test]
        fn a_name_stays_in_its_place(name in r"([./\\%?#&=+2eEfF@:; é\t\n]|[a-z]){1,12}") {
            let path = format!("repos/{}/pulls", segment(&name));
            let query = format!("repos/x?ref={}&page=1", segment(&name));
            if climbs(&path).is_none() {
                let url = Url::parse(&format!("https://api.example/v3/{path}")).unwrap();
                let parts: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(parts.len(), 4, "{}", url);
                prop_assert_eq!((parts[0], parts[1], parts[3]), ("v3", "repos", "pulls"));
                prop_assert_eq!(decoded(parts[2].as_bytes()), name.as_bytes());
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
            }
            prop_assert_eq!(climbs(&query), None);
            let url = Url::parse(&format!("https://api.example/{query}")).unwrap();
            let pairs: Vec<_> = url.query_pairs().map(|(a, b)| (a.into_owned(), b.into_owned())).collect();
            prop_assert_eq!(pairs, vec![("ref".to_owned(), name.clone()), ("page".to_owned(), "1".to_owned())]);
        }
    }
}
