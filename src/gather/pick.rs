//! A word that picks some of the reports: by path, by file name, or as a glob.

use super::files;
use globset::GlobMatcher;

/// What the word picks.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    word: String,
    glob: Option<GlobMatcher>,
}

impl Pick {
    /// A word that is no glob still picks the file of that name.
    pub(crate) fn new(word: &str) -> Self {
        let word = word.strip_prefix("./").unwrap_or(word);
        Self { word: word.to_owned(), glob: files::matcher(word).ok() }
    }

    /// Whether it picks what is shown as `shown`. An archive's path picks all that is in it.
    pub(crate) fn holds(&self, shown: &str) -> bool {
        let whole = |path: &str| {
            let name = path.rsplit(['/', '!']).next().unwrap_or(path);
            path == self.word || name == self.word || self.glob.as_ref().is_some_and(|g| g.is_match(path))
        };
        whole(shown) || shown.split_once('!').is_some_and(|(archive, _)| whole(archive))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_names_and_globs_pick() {
        for (word, shown, want) in [
            ("a/b.xml", "a/b.xml", true),
            ("./a/b.xml", "a/b.xml", true),
            ("b.xml", "a/b.xml", true),
            ("a", "a/b.xml", false),
            ("b", "a/b.xml", false),
            ("*.xml", "a/b.xml", false),
            ("a/*.xml", "a/b.xml", true),
            ("**/*.xml", "a/b.xml", true),
            ("r[1].xml", "r[1].xml", true),
            ("r[1].xml", "r1.xml", true),
            ("a[", "a[", true),
            ("a[", "a", false),
            ("ci.zip", "out/ci.zip!junit/b.xml", true),
            ("out/*.zip", "out/ci.zip!junit/b.xml", true),
            ("b.xml", "out/ci.zip!junit/b.xml", true),
            ("b.xml", "ci.zip!b.xml", true),
            ("junit", "out/ci.zip!junit/b.xml", false),
        ] {
            assert_eq!(Pick::new(word).holds(shown), want, "{word} {shown}");
        }
    }
}
