//! A command line, split into words without a shell.

/// Splits `line` as a POSIX shell would where nothing is expanded: spaces part words, quotes keep them, a backslash
/// keeps the next character (not on Windows, where it parts folders).
///
/// What only a shell could do (`|`, `>`, `$NAME`, …) is refused outside single quotes instead of being passed on as
/// text: nobody should find out at 3 a.m. that `| base64` was an argument.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let escapes = !cfg!(windows);
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') if escapes => match (quote, chars.next()) {
                (_, None) => return Err("ends in a backslash".into()),
                (Some(_), Some(c)) if !matches!(c, '"' | '\\' | '$' | '`') => {
                    word.get_or_insert_default().extend(['\\', c])
                }
                (_, Some(c)) => word.get_or_insert_default().push(c),
            },
            (_, '$' | '`') => return Err(no_shell(c)),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')') => return Err(no_shell(c)),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(q) = quote {
        return Err(format!("has an open {q}"));
    }
    words.extend(word);
    if words.is_empty() { Err("is empty".into()) } else { Ok(words) }
}

fn no_shell(c: char) -> String {
    format!("holds `{c}`, and no shell reads it; put it in a script, or write sh -c '…'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let cases: [(&str, &[&str]); 7] = [
            ("sign --key a", &["sign", "--key", "a"]),
            ("  sign\t'a b'\n", &["sign", "a b"]),
            (r#"sign "a \"b\" c" x'y'z ''"#, &["sign", r#"a "b" c"#, "xyz", ""]),
            (r#"sh -c 'openssl pkeyutl | base64 > $X'"#, &["sh", "-c", "openssl pkeyutl | base64 > $X"]),
            (r"a\ b \$c", &["a b", "$c"]),
            (r#""a\nb""#, &[r"a\nb"]),
            ("ключ é", &["ключ", "é"]),
        ];
        for (line, want) in cases {
            assert_eq!(split(line).unwrap(), want, "{line}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        for line in [
            "a | b",
            "a>b",
            "a; b",
            "a && b",
            "a $HOME",
            "a \"$(b)\"",
            "a `b`",
            "(a)",
            "a 'b",
            "a \"b",
            "a \\",
            "",
            "  ",
        ] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn single_quotes_keep_everything_but_themselves(words in prop::collection::vec("[^']{0,12}", 1..5)) {
            let line = words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line).unwrap(), words);
        }
    }
}
