//! A snapshot of the process environment, and the cleaning that every claim of a platform goes through.

use std::collections::BTreeMap;

/// Longest value that is kept whole, in bytes. Titles and refs are far shorter; nobody may fill a record.
pub(crate) const LONGEST: usize = 4096;

/// Environment variables as they were when the program started. Below `cli/` nobody reads the process.
#[derive(Clone, Default)]
pub(crate) struct Env(BTreeMap<String, String>);

impl Env {
    /// Takes the snapshot.
    pub(crate) fn new(variables: BTreeMap<String, String>) -> Self {
        Self(variables)
    }

    /// The names of all variables.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of `name`. An empty value counts as absent: platforms set what they do not know to nothing.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }
}

/// Why a claim was not taken as it stands.
pub(super) enum Unfit {
    /// It holds a NUL, which no variable can hold and no terminal shows.
    Nul,
    /// It was longer than [`LONGEST`]; here is what is kept of it.
    Cut(String),
}

/// Takes a claim byte for byte, unless it is too long or holds a NUL. Control characters are neutralised where they
/// are shown, not here: the record says what the platform said.
pub(super) fn fit(value: &str) -> Result<String, Unfit> {
    if value.contains('\0') {
        return Err(Unfit::Nul);
    }
    if value.len() <= LONGEST {
        return Ok(value.to_owned());
    }
    let end = (0..=LONGEST).rev().find(|i| value.is_char_boundary(*i)).unwrap_or(0);
    Err(Unfit::Cut(value.get(..end).unwrap_or_default().to_owned()))
}

/// An address without the user and password that a clone address may carry (RFC 3986, section 3.2.1).
///
/// `git@host:path` and the user of `ssh://` stay: they are names. The user of any other scheme goes too, because
/// tokens are passed as users.
pub(crate) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    // a password with an unescaped `/` ends the authority too early; its rest would pass for a port
    let broken = !authority.contains('@')
        && authority
            .rsplit_once(']')
            .map_or(authority, |(_, after_ipv6)| after_ipv6)
            .split_once(':')
            .is_some_and(|(_, port)| !port.bytes().all(|b| b.is_ascii_digit()));
    let at = if broken { rest.rfind('@') } else { authority.rfind('@') };
    let Some(at) = at else { return address.to_owned() };
    let host = rest.get(at + 1..).unwrap_or_default();
    match rest.get(..at).and_then(|user| user.split(':').next()) {
        Some(user) if scheme.eq_ignore_ascii_case("ssh") && !user.is_empty() => format!("{scheme}://{user}@{host}"),
        _ => format!("{scheme}://{host}"),
    }
}

/// `group/project` out of a clone address of either form, `https://host/group/project.git` or `git@host:group/project`.
pub(super) fn repository_name(address: &str) -> Option<String> {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.split_once(':')?.1,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!path.is_empty()).then(|| path.to_owned())
}

/// `text` as one path segment of an address: all but unreserved characters escaped (RFC 3986, section 2.3).
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(b as char),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credentials_leave_addresses() {
        let table = [
            ("https://bot:hunter2@git.example.com/a/b.git", "https://git.example.com/a/b.git"),
            ("https://tokenonly@git.example.com/a/b", "https://git.example.com/a/b"),
            ("https://u:p@ss@git.example.com:8443/a", "https://git.example.com:8443/a"),
            ("https://u:pa/ss@git.example.com/a", "https://git.example.com/a"),
            ("http://u:@git.example.com", "http://git.example.com"),
            ("ssh://git@git.example.com/a/b", "ssh://git@git.example.com/a/b"),
            ("ssh://git:pw@git.example.com/a/b", "ssh://git@git.example.com/a/b"),
            ("git@git.example.com:a/b.git", "git@git.example.com:a/b.git"),
            ("https://git.example.com/a/b@v1", "https://git.example.com/a/b@v1"),
            ("https://git.example.com:8443/a@v1?x=y@z", "https://git.example.com:8443/a@v1?x=y@z"),
            ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
            ("https://[::1]/a@b", "https://[::1]/a@b"),
            ("", ""),
        ];
        for (given, want) in table {
            assert_eq!(without_credentials(given), want, "{given}");
        }
    }

    #[test]
    fn repository_names_come_out_of_both_forms() {
        for address in ["https://h.example/g/s/p.git", "git@h.example:g/s/p.git", "ssh://git@h.example:22/g/s/p/"] {
            assert_eq!(repository_name(address).as_deref(), Some("g/s/p"), "{address}");
        }
        for address in ["", "nothing", "https://h.example", "https://h.example/"] {
            assert_eq!(repository_name(address), None, "{address}");
        }
    }

    #[test]
    fn long_claims_are_cut_at_a_character() {
        let long = "é".repeat(LONGEST);
        let Err(Unfit::Cut(kept)) = fit(&long) else { panic!("not cut") };
        assert_eq!(kept.len(), LONGEST);
        assert!(matches!(fit("a\0b"), Err(Unfit::Nul)));
        assert!(matches!(fit("a\u{1b}[31mb"), Ok(s) if s == "a\u{1b}[31mb"));
    }

    proptest! {
        #[test]
        fn a_password_never_survives(
            user in "[a-z]{1,8}",
            password in "[A-Za-z][A-Za-z0-9:/?#%!]{0,8}SECRET[A-Za-z0-9:!]{0,8}",
            path in "[a-z/]{0,12}",
        ) {
            let clean = without_credentials(&format!("https://{user}:{password}@host.example/{path}"));
            prop_assert!(!clean.contains("SECRET"), "{}", clean);
        }
    }
}
