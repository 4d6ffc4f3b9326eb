//! A raw commit object, read without git's or libgit2's ideas about it (git-scm.com, `gitformat-commit`; git `commit.c`).

use crate::record::run_v1::{CommitSignature, Signature};
use chrono::{DateTime, FixedOffset};
use encoding_rs::{Encoding, UTF_8};

/// Characters of a message that are kept.
pub(super) const MESSAGE_CHARS: usize = 64 * 1024;
/// Characters of a subject, name or address that are kept.
const LINE_CHARS: usize = 1000;
/// An octopus merge has a handful of parents; git itself warns above 16.
const PARENTS: usize = 1000;

/// What the object says.
pub(super) struct Raw {
    pub tree: Option<String>,
    pub parents: Vec<String>,
    pub author: Option<Signature>,
    pub committer: Option<Signature>,
    pub subject: Option<String>,
    pub message: Option<String>,
    pub signature: CommitSignature,
    pub warnings: Vec<String>,
}

impl Raw {
    /// What every commit has and this one has not, in words.
    pub(super) fn missing(&self) -> Vec<String> {
        [("tree", self.tree.is_none()), ("author", self.author.is_none()), ("committer", self.committer.is_none())]
            .iter()
            .filter(|(_, missing)| *missing)
            .map(|(name, _)| format!("the commit object has no readable `{name}` line"))
            .collect()
    }
}

/// Reads `data`, the object without its `commit <size>\0` prefix. Never fails: what cannot be read is absent.
pub(super) fn parse(data: &[u8]) -> Raw {
    let (head, body) = match data.windows(2).position(|w| w == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[][..]),
    };
    let mut raw = Raw {
        tree: None,
        parents: Vec::new(),
        author: None,
        committer: None,
        subject: None,
        message: None,
        signature: CommitSignature::Unsigned,
        warnings: Vec::new(),
    };
    let mut names: [Option<&[u8]>; 2] = [None, None];
    let mut encoding = UTF_8;
    // A line that begins with a space continues the header before it (signatures, merged tags): never a header itself.
    for line in head.split(|b| *b == b'\n').filter(|l| !l.starts_with(b" ")) {
        let at = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (name, value) = (&line[..at], line.get(at + 1..).unwrap_or_default());
        match name {
            b"tree" if raw.tree.is_none() => raw.tree = object_id(value),
            b"parent" if raw.parents.len() < PARENTS => match object_id(value) {
                Some(id) => raw.parents.push(id),
                None => raw.warnings.push("a `parent` line of the commit object holds no object id".into()),
            },
            b"parent" => raw.warnings.push(format!("the commit has more than {PARENTS} parents; the rest is left out")),
            b"author" if names[0].is_none() => names[0] = Some(value),
            b"committer" if names[1].is_none() => names[1] = Some(value),
            b"encoding" => match Encoding::for_label(value) {
                Some(known) => encoding = known,
                None => raw.warnings.push("the commit names an unknown text encoding; read as UTF-8".into()),
            },
            b"gpgsig" | b"gpgsig-sha256" => raw.signature = signature_kind(value),
            _ => {}
        }
    }
    raw.warnings.dedup();
    let mut lossy = false;
    let mut text = |bytes: &[u8]| {
        let (text, bad) = encoding.decode_without_bom_handling(bytes);
        lossy |= bad;
        text.into_owned()
    };
    let [author, committer] = names.map(|n| n.and_then(|n| person(n, &mut text)));
    let message = text(body);
    if lossy {
        raw.warnings.push(format!("the commit holds bytes that are not {}; they were replaced", encoding.name()));
    }
    for (who, person) in [("author", &author), ("committer", &committer)] {
        if person.as_ref().is_some_and(|p| p.on.is_none()) {
            raw.warnings.push(format!("the commit's {who} time cannot be read"));
        }
    }
    (raw.author, raw.committer) = (author, committer);
    raw.subject = message.lines().map(str::trim).find(|l| !l.is_empty()).map(|l| cut(l, LINE_CHARS));
    raw.message = (!message.trim().is_empty()).then(|| cut(&message, MESSAGE_CHARS));
    raw
}

/// 40 or 64 lower-case hex digits, as git writes them.
fn object_id(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (hex && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}

/// By the armour's first line (git `gpg-interface.c`). Nothing is checked here: that needs the signer's public half.
fn signature_kind(first_line: &[u8]) -> CommitSignature {
    match first_line.trim_ascii() {
        b"-----BEGIN PGP SIGNATURE-----" | b"-----BEGIN PGP MESSAGE-----" => CommitSignature::OpenPgpUnverified,
        b"-----BEGIN SSH SIGNATURE-----" => CommitSignature::SshUnverified,
        b"-----BEGIN SIGNED MESSAGE-----" => CommitSignature::X509Unverified,
        _ => CommitSignature::UnknownUnverified,
    }
}

/// `Name <mail> seconds zone`, split where git splits it (`ident.c`, `split_ident_line`).
fn person(line: &[u8], text: &mut impl FnMut(&[u8]) -> String) -> Option<Signature> {
    let open = line.iter().position(|b| *b == b'<')?;
    let close = open + line[open..].iter().position(|b| *b == b'>')?;
    let last = line.iter().rposition(|b| *b == b'>')?;
    Some(Signature {
        name: cut(text(&line[..open]).trim(), LINE_CHARS),
        email: cut(text(&line[open + 1..close]).trim(), LINE_CHARS),
        on: std::str::from_utf8(&line[last + 1..]).ok().and_then(time),
    })
}

/// `1700000000 +0530`: seconds since 1970 and the zone in hours and minutes.
fn time(words: &str) -> Option<DateTime<FixedOffset>> {
    let mut words = words.split_whitespace();
    let seconds: i64 = words.next()?.parse().ok()?;
    let zone = words.next()?;
    if words.next().is_some() || !zone.starts_with(['+', '-']) || zone.len() != 5 {
        return None;
    }
    let number: i32 = zone.parse().ok()?;
    let zone = FixedOffset::east_opt((number / 100 * 60 + number % 100) * 60)?;
    Some(DateTime::from_timestamp(seconds, 0)?.with_timezone(&zone))
}

/// The first `chars` characters, with a mark where something was left out.
fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn commit(headers: &[u8], message: &[u8]) -> Vec<u8> {
        [format!("tree {TREE}\n").as_bytes(), headers, b"\n", message].concat()
    }

    #[test]
    fn every_part_is_read() {
        let one = "1".repeat(40);
        let two = "2".repeat(40);
        let headers = format!(
            "parent {one}\nparent {two}\nauthor Ada L <ada@example.com> 1700000000 +0530\n\
             committer CI <ci@example.com> 1700000001 -0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n parent {TREE}\n \n\
             mergetag object {two}\n tagger nobody <> 1 +0000\n\n"
        );
        let raw = parse(&commit(headers.trim_end_matches('\n').as_bytes(), b"\n\n  first line \nsecond\n"));
        assert_eq!(raw.tree.as_deref(), Some(TREE));
        assert_eq!(raw.parents, [one, two]);
        let author = raw.author.unwrap();
        assert_eq!((author.name.as_str(), author.email.as_str()), ("Ada L", "ada@example.com"));
        assert_eq!(author.on.unwrap().to_rfc3339(), "2023-11-15T03:43:20+05:30");
        assert_eq!(raw.committer.unwrap().on.unwrap().to_rfc3339(), "2023-11-14T22:13:21+00:00");
        assert_eq!(raw.signature, CommitSignature::SshUnverified);
        assert_eq!(raw.subject.as_deref(), Some("first line"));
        assert_eq!(raw.warnings, Vec::<String>::new());
    }

    #[test]
    fn the_armour_tells_the_kind_of_signature() {
        for (header, kind) in [
            ("gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n", CommitSignature::OpenPgpUnverified),
            ("gpgsig-sha256 -----BEGIN PGP MESSAGE-----\n", CommitSignature::OpenPgpUnverified),
            ("gpgsig -----BEGIN SSH SIGNATURE-----\n", CommitSignature::SshUnverified),
            ("gpgsig -----BEGIN SIGNED MESSAGE-----\n", CommitSignature::X509Unverified),
            ("gpgsig -----BEGIN POEM-----\n", CommitSignature::UnknownUnverified),
            ("gpgsig\n", CommitSignature::UnknownUnverified),
            ("x-gpgsig -----BEGIN PGP SIGNATURE-----\n", CommitSignature::Unsigned),
        ] {
            assert_eq!(parse(&commit(header.as_bytes(), b"m")).signature, kind, "{header}");
        }
        // In the message it is only text.
        let text = b"m\n\ngpgsig -----BEGIN PGP SIGNATURE-----\n";
        assert_eq!(parse(&commit(b"", text)).signature, CommitSignature::Unsigned);
    }

    #[test]
    fn a_named_encoding_is_used_and_a_broken_one_is_said() {
        let latin = parse(&commit(b"author J\xfcrg <j@x> 1 +0000\nencoding ISO-8859-1\n", b"Gr\xfc\xdfe"));
        assert_eq!(latin.author.unwrap().name, "Jürg");
        assert_eq!(latin.subject.as_deref(), Some("Grüße"));
        assert_eq!(latin.warnings, Vec::<String>::new());
        let broken = parse(&commit(b"", b"Gr\xfc\xdfe"));
        assert_eq!(broken.subject.as_deref(), Some("Gr\u{fffd}\u{fffd}e"));
        assert_eq!(broken.warnings.len(), 1, "{:?}", broken.warnings);
        let unknown = parse(&commit(b"encoding klingon\n", b"x"));
        assert_eq!(unknown.warnings.len(), 1, "{:?}", unknown.warnings);
    }

    #[test]
    fn times_that_are_none_are_absent() {
        for bad in
            ["", "1700000000", "x +0000", "99999999999999999999 +0000", "1 +9900", "1 +051800", "1 0000", "1 +0é"]
        {
            let raw = parse(&commit(format!("author A <a@x> {bad}\n").as_bytes(), b"m"));
            assert_eq!(raw.author.unwrap().on, None, "{bad}");
            assert_eq!(raw.warnings.len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_long_subject_is_cut_with_a_mark() {
        let raw = parse(&commit(b"", "ü".repeat(5000).as_bytes()));
        assert_eq!(raw.subject.unwrap().chars().count(), LINE_CHARS + 1);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(parse(b"").missing().len(), 3);
        assert_eq!(parse(b"tree nonsense\n\nx").missing().len(), 3);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            parse(&bytes);
        }

        #[test]
        fn nothing_shaped_like_a_header_panics(line in "(author|parent|encoding|gpgsig)[ <>a-z0-9+-]{0,30}", body: Vec<u8>) {
            parse(&commit(format!("{line}\n").as_bytes(), &body));
        }
    }
}
