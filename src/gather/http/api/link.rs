//! The `Link` header (RFC 8288, section 3; read as its appendix B.2 does).

/// The target of the first link whose relations name `next`. What is no link is passed over.
pub(super) fn next(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = parameters(after);
        // a relation of some other document (3.2), and only the first `rel` counts (3.3)
        let elsewhere = parameters.iter().any(|(name, _)| name == "anchor");
        let relations = parameters.iter().find(|(name, _)| name == "rel").map(|(_, value)| value.as_str());
        let named =
            relations.unwrap_or_default().split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"));
        if named && !elsewhere {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
    None
}

/// Parameters up to the comma that ends the link, names in lower case; and what follows.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after.trim_start()),
            None => (String::new(), after),
        };
        all.push((name.trim().to_ascii_lowercase(), value));
        // what stands between a value and the next sign has no meaning
        rest = after.get(after.find([';', ',']).unwrap_or(after.len())..).unwrap_or_default();
    }
    (all, rest)
}

/// A token or a quoted string (RFC 9110, 5.6.4), and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
        return (token.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_is_found_as_rfc_8288_writes_it() {
        let table = [
            // GitHub, GitLab, Gitea
            (
                r#"<https://a.example/x?page=2>; rel="next", <https://a.example/x?page=9>; rel="last""#,
                Some("https://a.example/x?page=2"),
            ),
            (
                r#"<https://a.example/x?page=1>; rel="prev", <https://a.example/x?page=3>; rel="next""#,
                Some("https://a.example/x?page=3"),
            ),
            (r#"<https://a.example/x>; rel="first",<https://a.example/y>; rel="last""#, None),
            // names in any case, tokens, several relations, spaces
            (r#"</x?page=2>; REL=NEXT"#, Some("/x?page=2")),
            (r#"</x>;rel="prev next""#, Some("/x")),
            (r#"</x>;rel="  Next  prev""#, Some("/x")),
            (r#"  < /x >  ;  rel = "next"  "#, Some("/x")),
            ("</x>; title=\"a\"; rel=next", Some("/x")),
            // commas, semicolons and angles within quotes and targets
            (r#"</x?a=1,2;b>; rel="next""#, Some("/x?a=1,2;b")),
            (r#"</x>; title="a, <b>; rel=\"next\""; rel="prev", </y>; rel="next""#, Some("/y")),
            (r#"</x>; title="rel=next"; rel=prev"#, None),
            (r#"<//b.example/x>; rel=next"#, Some("//b.example/x")),
            // only the first `rel` counts; no part of a word is the word
            (r#"</x>; rel=prev; rel=next"#, None),
            (r#"</x>; rel="nextish", </y>; rel=xnext"#, None),
            (r#"</x>; rel="next/prev""#, None),
            (r#"</x>; rel*=next"#, None),
            (r##"</x>; rel=next; anchor="#part", </y>; rel=next"##, Some("/y")),
            // empty members of a list, things that are no links
            (r#",, </x>; rel=next ,"#, Some("/x")),
            (r#"nonsense, </x>; rel=next"#, Some("/x")),
            (r#"</x>, </y>; rel=next"#, Some("/y")),
            (r#"</x>; rel="next"#, Some("/x")),
            (r#"</x>; rel="next\"#, Some("/x")),
            (r#"<>; rel=next"#, Some("")),
            ("</x; rel=next", None),
            ("</x>; rel", None),
            ("</x>;", None),
            ("", None),
        ];
        for (header, wanted) in table {
            assert_eq!(next(header).as_deref(), wanted, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_title_hides_the_next_page_or_makes_one_up(title in "[ -~]{0,40}", last in prop::bool::ANY) {
            let quoted = title.replace('\\', r"\\").replace('"', "\\\"");
            let rel = if last { "last" } else { "next" };
            let header = format!(r#"</a>; title="{quoted}"; rel="prev", </b>; title="{quoted}"; rel="{rel}""#);
            prop_assert_eq!(next(&header), (!last).then(|| "/b".to_owned()));
        }

        #[test]
        fn any_header_is_read(header in ".{0,200}") {
            let _ = next(&header);
        }
    }
}
