//! Patterns to files: what `--report` and `--artifact` name, the same for every feature that takes a pattern.
//!
//! `*` and `?` stay inside one folder, `**` crosses folders, `{a,b}` and `[ab]` choose, a leading `!` takes files out
//! again. One entry may hold several lines, as the inputs of CI platforms do.

use anyhow::{Context, bail};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

/// More files than this are a mistake in the pattern, and would not fit in a record.
const FILES: usize = 100_000;

/// What the patterns name.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Where to open each file and how to show it: relative to the folder, with forward slashes. Sorted by the latter.
    pub files: Vec<(PathBuf, String)>,
    /// Patterns that name no file, as they were given.
    pub unmatched: Vec<String>,
    /// What could not be looked at, and why.
    pub problems: Vec<String>,
}

/// Expands `patterns`, relative to `dir`. A pattern that cannot be read is an error that names it and its place.
///
/// Symlinked files are followed, symlinked folders are not (they may loop); `.git` is never searched.
pub(crate) fn expand(dir: &Path, patterns: &[String]) -> anyhow::Result<Expanded> {
    let mut seen = BTreeSet::new();
    let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
    for (entry, text) in patterns.iter().enumerate() {
        for (line, pattern) in text.lines().enumerate().map(|(n, l)| (n, l.trim())) {
            if pattern.is_empty() || !seen.insert(pattern) {
                continue;
            }
            let place = || format!("could not read pattern {} (line {}) `{pattern}`", entry + 1, line + 1);
            match pattern.strip_prefix('!') {
                Some(rest) => excluded.push(Exclusion::new(dir, rest.trim_start()).with_context(place)?),
                None => wanted.push((pattern, Pattern::new(dir, pattern).with_context(place)?)),
            }
        }
    }
    let mut out = Expanded::default();
    // By the path with `.` and `..` resolved, so that a file named twice counts once.
    let mut files: BTreeMap<PathBuf, (PathBuf, String)> = BTreeMap::new();
    for (text, pattern) in wanted {
        let mut matched = false;
        for path in pattern.find(dir, &mut out.problems) {
            let normal = resolve_dots(&path);
            let shown = shown(dir, &normal, Path::new(text).is_absolute());
            if excluded.iter().any(|e| e.holds(&normal, &shown)) {
                continue;
            }
            if shown.contains('\u{fffd}') {
                out.problems
                    .push(format!("the name of `{shown}` is not UTF-8; it is recorded with a replacement mark"));
            }
            matched = true;
            files.insert(normal, (path, shown));
            if files.len() > FILES {
                bail!("pattern `{text}` brings the files to more than {FILES}. Name them more narrowly");
            }
        }
        if !matched {
            out.unmatched.push(text.to_owned());
        }
    }
    out.files = files.into_values().collect();
    out.files.sort_by(|a, b| a.1.cmp(&b.1));
    out.problems.dedup();
    Ok(out)
}

/// A pattern cut where its first wildcard stands: what is before it is only opened, never searched.
struct Pattern {
    whole: PathBuf,
    base: PathBuf,
    /// What the path below `base` must look like, and how deep it can lie. `None`: no wildcard.
    rest: Option<(GlobMatcher, usize)>,
}

impl Pattern {
    fn new(dir: &Path, text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let literal = parts.iter().take_while(|p| !p.contains(WILD)).count();
        let whole = PathBuf::from(text);
        // Taken literally first: `report[1].xml` may well be a file's name.
        if literal == parts.len() || is_file(&dir.join(&whole)) {
            return Ok(Self { base: whole.clone(), whole, rest: None });
        }
        // `/*.xml` starts at the root: its first part is empty.
        let base = if literal == 1 && parts[0].is_empty() { "/".into() } else { parts[..literal].join("/") };
        let parts: Vec<&str> = parts[literal..].iter().copied().filter(|p| !matches!(*p, "" | ".")).collect();
        if parts.contains(&"..") {
            bail!("`..` after a wildcard is not supported. Write the path without it");
        }
        let rest = parts.join("/");
        // A brace may hold a slash, and then parts cannot be counted.
        let deep = parts.contains(&"**") || rest.contains('{');
        let depth = if deep { usize::MAX } else { parts.len() };
        Ok(Self { whole, base: base.into(), rest: Some((matcher(&rest)?, depth)) })
    }

    fn literal(&self, dir: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
        let path = dir.join(&self.whole);
        let shown = self.whole.display();
        match std::fs::metadata(&path) {
            Ok(meta) if !meta.is_dir() => return vec![path],
            Ok(_) => {
                problems.push(format!("`{shown}` is a folder, not a file. Write `{shown}/**` for all files in it"))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => problems.push(format!("could not look at `{shown}`: {e}")),
        }
        Vec::new()
    }

    fn find(&self, dir: &Path, problems: &mut Vec<String>) -> Vec<PathBuf> {
        let Some((matcher, depth)) = &self.rest else { return self.literal(dir, problems) };
        let base = dir.join(&self.base);
        if !base.is_dir() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let walk = WalkDir::new(&base).min_depth(1).max_depth(*depth).sort_by_file_name().into_iter();
        // Nor what this program keeps here itself; who names such a folder in the pattern starts inside of it.
        let passed_over =
            |name: &std::ffi::OsStr| [".git", ".vouchsafe", ".vouchsafe-spool"].iter().any(|n| name == *n);
        for entry in walk.filter_entry(|e| e.depth() == 0 || !passed_over(e.file_name())) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    let path = e.path().map(|p| shown(dir, &resolve_dots(p), false)).unwrap_or_default();
                    let cause = e.io_error().map_or_else(|| e.to_string(), ToString::to_string);
                    problems.push(format!("could not search `{path}`: {cause}"));
                    continue;
                }
            };
            let below = entry.path().strip_prefix(&base).unwrap_or(entry.path());
            // A link counts as what it leads to; a link to a folder is not searched and a dangling one is no file.
            let is_dir = entry.file_type().is_dir() || (entry.path_is_symlink() && !entry.path().is_file());
            if !is_dir && matcher.is_match(below) {
                found.push(entry.into_path());
                if found.len() > FILES {
                    break;
                }
            }
        }
        found
    }
}

/// Anything that is there and is no folder; pipes and devices too, so that whoever reads them can refuse them by name.
fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| !m.is_dir())
}

/// Characters that make a part of a pattern more than a name.
const WILD: [char; 5] = ['*', '?', '[', '{', '\\'];

pub(crate) fn matcher(glob: &str) -> anyhow::Result<GlobMatcher> {
    let glob = GlobBuilder::new(glob).literal_separator(true).empty_alternates(true).build();
    // globset repeats the glob in its message; ours already has it.
    Ok(glob.map_err(|e| anyhow::anyhow!("{}", e.kind()))?.compile_matcher())
}

/// A pattern with `!`: takes out the file that it names, or everything in the folder that it names.
struct Exclusion {
    literal: String,
    globs: Vec<GlobMatcher>,
    absolute: bool,
}

impl Exclusion {
    fn new(dir: &Path, text: &str) -> anyhow::Result<Self> {
        let path = Path::new(text);
        let absolute = path.is_absolute();
        let literal = if absolute {
            text.trim_end_matches('/').to_owned()
        } else {
            shown(dir, &resolve_dots(&dir.join(path)), false)
        };
        let globs = match is_file(&dir.join(path)) {
            true => Vec::new(),
            false => vec![matcher(&literal)?, matcher(&format!("{literal}/**"))?],
        };
        Ok(Self { literal, globs, absolute })
    }

    fn holds(&self, normal: &Path, shown: &str) -> bool {
        let path = if self.absolute { normal } else { Path::new(shown) };
        path == Path::new(&self.literal) || self.globs.iter().any(|g| g.is_match(path))
    }
}

/// `path` without `.`, and without `..` wherever a name stands before it. By the letters: links are not looked at.
fn resolve_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            other => out.push(other),
        }
    }
    out
}

/// How a file is named in the record: relative to `dir`, unless it was given absolutely and lies elsewhere.
fn shown(dir: &Path, path: &Path, absolute: bool) -> String {
    let dir = resolve_dots(dir);
    let below = match path.strip_prefix(&dir) {
        Ok(below) => below.to_path_buf(),
        Err(_) if absolute => return path.to_string_lossy().into_owned(),
        Err(_) => {
            let common = dir.components().zip(path.components()).take_while(|(a, b)| a == b).count();
            let up = dir.components().skip(common).map(|_| Component::ParentDir);
            up.chain(path.components().skip(common)).collect()
        }
    };
    let parts: Vec<OsString> = below.components().map(|c| c.as_os_str().to_owned()).collect();
    parts.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use tempfile::TempDir;

    fn tree(files: &[&str]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for file in files {
            let path = dir.path().join("work").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    fn names(dir: &Path, patterns: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        let out = expand(dir, &patterns).unwrap();
        for (path, _) in &out.files {
            fs::metadata(path).unwrap();
        }
        (out.files.into_iter().map(|f| f.1).collect(), out.unmatched, out.problems)
    }

    #[test]
    fn patterns_name_files() {
        let files = [
            "a.xml",
            "b.txt",
            "r/a.xml",
            "r/deep/b.xml",
            "r/deep/er/c.xml",
            "r/x[1].xml",
            "r/x1.xml",
            "node_modules/n.xml",
            "target/t.xml",
            ".git/g.xml",
            "r/.git/h.xml",
            ".hidden/i.xml",
            "../beside/j.xml",
            "r/ü ö.xml",
            "odd/{x",
            "odd/[",
            "odd/*",
        ];
        let root = tree(&files);
        let dir = root.path().join("work");
        let absolute = root.path().join("beside").display().to_string();
        let own = format!("{}/r/*.xml", dir.display());
        let all = [
            ".hidden/i.xml",
            "a.xml",
            "node_modules/n.xml",
            "r/a.xml",
            "r/deep/b.xml",
            "r/deep/er/c.xml",
            "r/x1.xml",
            "r/x[1].xml",
            "r/ü ö.xml",
            "target/t.xml",
        ];
        let at_r = ["r/a.xml", "r/x1.xml", "r/x[1].xml", "r/ü ö.xml"];
        let beside = format!("{absolute}/j.xml");
        for (patterns, want) in [
            (vec!["*.xml"], vec!["a.xml"]),
            (vec!["**/*.xml"], all.to_vec()),
            (vec!["r/**"], [&at_r[..1], &["r/deep/b.xml", "r/deep/er/c.xml"], &at_r[1..]].concat()),
            (vec!["r/*/*.xml"], vec!["r/deep/b.xml"]),
            (vec!["r//*/.//*.xml"], vec!["r/deep/b.xml"]),
            (vec!["r/x[1].xml"], vec!["r/x[1].xml"]),
            (vec!["r/x[0-9].xml"], vec!["r/x1.xml"]),
            (vec!["r/{deep/,}*.xml"], [&at_r[..1], &["r/deep/b.xml"], &at_r[1..]].concat()),
            (vec!["{a.xml,b.txt}"], vec!["a.xml", "b.txt"]),
            (vec!["./a.xml", "a.xml", "r/../a.xml", "*.xml"], vec!["a.xml"]),
            (vec!["../beside/*.xml"], vec!["../beside/j.xml"]),
            (vec![&beside], vec![&beside]),
            (vec![own.as_str()], at_r.to_vec()),
            (vec!["a.xml\n\n  b.txt  \r\na.xml"], vec!["a.xml", "b.txt"]),
            (
                vec!["**/*.xml\n!**/deep/**\n!node_modules\n!./target/t.xml", "!r/x[1].xml", "! r/ü*", "!.hidden/"],
                vec!["a.xml", "r/a.xml", "r/x1.xml"],
            ),
            (vec![".git/g.xml"], vec![".git/g.xml"]),
            (vec!["?.txt"], vec!["b.txt"]),
            (vec!["odd/{x", "odd/*", "!odd/["], vec!["odd/*", "odd/{x"]),
        ] {
            let (got, unmatched, problems) = names(&dir, &patterns);
            assert_eq!(got, want, "{patterns:?}");
            assert!(unmatched.is_empty() && problems.is_empty(), "{patterns:?}: {unmatched:?} {problems:?}");
        }
    }

    #[test]
    fn what_names_nothing_is_said() {
        let root = tree(&["a.xml", "r/b.xml"]);
        let dir = root.path().join("work");
        for pattern in ["no.xml", "no/*.xml", "*.trx", "/no/where/**", "no/../../x/*.xml", "a.xml/*"] {
            let (files, unmatched, _) = names(&dir, &[pattern, "a.xml"]);
            assert_eq!((files, unmatched), (vec!["a.xml".to_owned()], vec![pattern.to_owned()]));
        }
        let (files, unmatched, problems) = names(&dir, &["r", "r/"]);
        assert_eq!((files.len(), unmatched, problems.len()), (0, vec!["r".to_owned(), "r/".to_owned()], 2));
        assert!(problems[0].contains("`r/**`"), "{problems:?}");
        // Everything taken out again is nothing named.
        let (files, unmatched, _) = names(&dir, &["*.xml", "!a.xml"]);
        assert_eq!((files.len(), unmatched), (0, vec!["*.xml".to_owned()]));
    }

    #[test]
    fn a_pattern_that_cannot_be_read_names_its_place() {
        let dir = TempDir::new().unwrap();
        for bad in ["a/[b", "x/{a,b", "!{a", "*/../b", "a[z-a]"] {
            let error = format!("{:#}", expand(dir.path(), &["ok\nok2".into(), format!("\n{bad}")]).unwrap_err());
            assert!(error.contains("pattern 2 (line 2)") && error.contains(bad), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_links_to_folders_are_not() {
        use std::os::unix::fs::symlink;
        let root = tree(&["real/a.xml", "real/inner/b.xml"]);
        let dir = root.path().join("work");
        symlink(dir.join("real/a.xml"), dir.join("link.xml")).unwrap();
        symlink(dir.join("real"), dir.join("folder")).unwrap();
        symlink(&dir, dir.join("real/loop")).unwrap();
        symlink(dir.join("gone"), dir.join("dangling.xml")).unwrap();
        assert_eq!(names(&dir, &["**/*.xml"]).0, ["link.xml", "real/a.xml", "real/inner/b.xml"]);
        // A folder that is named, not found, may be a link.
        assert_eq!(names(&dir, &["folder/*.xml"]).0, ["folder/a.xml"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_is_opened_and_said() {
        use std::os::unix::ffi::OsStrExt;
        let root = tree(&["a.xml"]);
        let dir = root.path().join("work");
        fs::write(dir.join(std::ffi::OsStr::from_bytes(b"\xff.xml")), "x").unwrap();
        let (files, _, problems) = names(&dir, &["*.xml"]);
        assert_eq!((files.as_slice(), problems.len()), (["a.xml".to_owned(), "\u{fffd}.xml".to_owned()].as_slice(), 1));
    }

    #[test]
    fn a_narrow_pattern_does_not_search_deep() {
        let root = tree(&["a.xml", "deep/b.xml"]);
        let dir = root.path().join("work");
        let pattern = Pattern::new(&dir, "*/b.xml").unwrap();
        assert_eq!(pattern.rest.as_ref().unwrap().1, 2);
        assert_eq!(Pattern::new(&dir, "deep/*.xml").unwrap().rest.unwrap().1, 1);
        assert_eq!(pattern.find(&dir, &mut Vec::new()).len(), 1);
    }

    proptest! {
        #[test]
        fn no_pattern_panics(text in "[a-c*?/.!{},\\[\\]\\\\ \n-]{0,24}") {
            let root = tree(&["a/b.c"]);
            let _ = expand(&root.path().join("work"), &[text]);
        }

        #[test]
        fn a_plain_name_is_found_and_shown_as_it_is(name in "[a-z\\[\\]{}*? ü]{0,6}x") {
            let root = tree(&[&name]);
            let name = name.trim_start().to_owned();
            // Names with a leading blank need another spelling: entries are trimmed.
            prop_assume!(root.path().join("work").join(&name).is_file());
            prop_assert_eq!(names(&root.path().join("work"), &[&name]).0, vec![name]);
        }
    }
}
