//! Which branches are protected, now.

use super::shapes::{Branch, ProtectedBranch};
use super::{Asking, project, say, unread};
use crate::gather::http::api::{List, segment};
use std::collections::BTreeMap;

/// The list, or what each branch says of itself where the list may not be read.
#[derive(Default)]
pub(super) struct Protection {
    patterns: Option<Option<Vec<String>>>,
    known: BTreeMap<String, Option<bool>>,
}

impl Protection {
    pub(super) fn of(&mut self, asking: &Asking, branch: &str, missing: &mut Vec<String>) -> Option<bool> {
        let way = project(asking);
        let patterns = self.patterns.get_or_insert_with(|| {
            let pages = asking.api.pages::<List<ProtectedBranch>>(&format!("{way}/protected_branches?per_page=100"));
            let names = pages.items.into_iter().filter_map(|p| p.name).collect();
            pages.missing.is_none().then_some(names)
        });
        if let Some(patterns) = patterns {
            return Some(patterns.iter().any(|pattern| fits(pattern, branch)));
        }
        *self.known.entry(branch.to_owned()).or_insert_with(|| {
            match asking.api.find::<Branch>(&format!("{way}/repository/branches/{}", segment(branch))) {
                Ok(found) => found.and_then(|b| b.protected),
                Err(e) => {
                    say(missing, unread("which branches are protected", &e));
                    None
                }
            }
        })
    }
}

/// `*` stands for any characters, slashes too (GitLab docs, "Protected branches", wildcards).
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match left.split_once(piece) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, is) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("release-*", "release-1", true),
            ("release-*", "release-", true),
            ("release-*", "my-release-1", false),
            ("*-stable", "16/x-stable", true),
            ("*/release/*", "a/release/b/c", true),
            ("*/release/*", "release/b", false),
            ("a*b*a", "aba", true),
            ("a*b*a", "aa", false),
            ("*", "anything", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern, name), is, "{pattern} {name}");
        }
    }
}
