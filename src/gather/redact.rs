//! Words of a command line, without what could be secret. In doubt a word goes: a record is signed, copied and locked for
//! years.

use super::platform::env::without_credentials;
use super::variables::{secret_name, secret_value};
use regex::Regex;

/// What stands for a word that was taken out.
const REDACTED: &str = "[redacted]";
/// Words of a command that are kept; nobody reads more, and a record has a limit.
const WORDS: usize = 1000;
/// A question to the word that follows a flag: is it the secret?
type Secret = fn(&str) -> bool;

/// The words of a command as they may be recorded. `rules` are the caller's own: what matches one goes.
pub(crate) fn command(words: &[String], rules: &[Regex]) -> Vec<String> {
    let mut out = Vec::new();
    let mut secret_next: Option<Secret> = None;
    for (n, word) in words.iter().enumerate() {
        if n == WORDS {
            out.push(format!("[and {} more]", words.len() - WORDS));
            break;
        }
        // a program is named by itself; what is secret stands behind it
        let asked = std::mem::replace(&mut secret_next, announces(word).filter(|_| n > 0));
        let hidden = asked.is_some_and(|secret| secret(word));
        out.push(if hidden { REDACTED.to_owned() } else { one(word, rules) });
    }
    out
}

/// What a flag without `=` says of the next word: `--password`, curl's `-u user:secret`, sshpass's `-p` (but not a port).
fn announces(word: &str) -> Option<Secret> {
    match word {
        "-u" => Some(|next| next.contains(':')),
        "-p" => {
            Some(|next| !next.starts_with('-') && !next.bytes().all(|b| b.is_ascii_digit() || b":.-/".contains(&b)))
        }
        _ if word.starts_with('-') && !word.contains('=') && secret_name(word).is_some() => {
            Some(|next| !next.starts_with("--"))
        }
        _ => None,
    }
}

fn one(word: &str, rules: &[Regex]) -> String {
    if rules.iter().any(|rule| rule.is_match(word)) {
        return REDACTED.to_owned();
    }
    // `--name=value`, `-Dname=value`, `NAME=value`, `Header: value`
    for mark in ["=", ": "] {
        if let Some((name, value)) = word.split_once(mark)
            && !name.contains([' ', '/', '"', '{'])
            && !value.is_empty()
        {
            let secret = secret_name(name).is_some() || secret_value(value).is_some();
            return if secret { format!("{name}{mark}{REDACTED}") } else { format!("{name}{mark}{}", plain(value)) };
        }
    }
    // `{"password":"…"}` and shell snippets: names of secrets beside a value
    let holds = word.split(['"', '\'', '{', '}', ',', '&', '?', ';', ' ', '\n']).any(|piece| {
        piece.split_once(['=', ':']).is_some_and(|(name, value)| !value.is_empty() && secret_name(name).is_some())
    });
    let quoted = word.contains("\":") && word.split('"').any(|piece| secret_name(piece).is_some());
    // the short form with its value: mysql's `-pSECRET`
    let glued = word.strip_prefix("-p").is_some_and(|rest| rest.len() >= 6 && rest.bytes().any(|b| b.is_ascii_digit()));
    if holds || quoted || glued || word.len() > 4 && secret_value(&plain(word)).is_some() {
        return REDACTED.to_owned();
    }
    plain(word)
}

/// The word without user and password of an address in it.
fn plain(word: &str) -> String {
    if word.contains("://") { without_credentials(word) } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(line: &str) -> String {
        let words: Vec<String> = line.split('~').map(str::to_owned).collect();
        command(&words, &[]).join("~")
    }

    #[test]
    fn what_is_secret_goes_and_what_is_not_stays() {
        for (line, want) in [
            ("./deploy.sh~production~--version~1.2.3", "./deploy.sh~production~--version~1.2.3"),
            ("deploy~--password~hunter2~now", "deploy~--password~[redacted]~now"),
            ("deploy~--password=hunter2", "deploy~--password=[redacted]"),
            ("deploy~--password~--dry-run", "deploy~--password~--dry-run"),
            ("env~DB_PASSWORD=hunter2~STAGE=prod~./x", "env~DB_PASSWORD=[redacted]~STAGE=prod~./x"),
            ("java~-DapiKey=hunter2~-Dstage=prod", "java~-DapiKey=[redacted]~-Dstage=prod"),
            ("curl~-u~ada:hunter2~https://x.test/", "curl~-u~[redacted]~https://x.test/"),
            ("docker~run~-p~80:8080~-u~1000~x", "docker~run~-p~80:8080~-u~1000~x"),
            ("sshpass~-p~hunter~ssh~-p~22~h", "sshpass~-p~[redacted]~ssh~-p~22~h"),
            ("curl~-H~Authorization: Basic aHVudGVyMg==", "curl~-H~Authorization: [redacted]"),
            ("curl~-H~Accept: text/plain", "curl~-H~Accept: text/plain"),
            ("curl~-d~{\"user\":\"ada\",\"password\":\"hunter2\"}", "curl~-d~[redacted]"),
            ("sh~-c~PGPASSWORD=hunter2 psql", "sh~-c~PGPASSWORD=[redacted]"),
            ("git~push~https://ada:hunter2@git.test/x", "git~push~https://git.test/x"),
            ("psql~--dsn=postgres://ada:hunter2@db.test/x", "psql~--dsn=[redacted]"),
            ("sh~-c~cd x && PGPASSWORD=hunter2 psql", "sh~-c~[redacted]"),
            ("mysql~-pHunter22", "mysql~[redacted]"),
            ("helm~upgrade~--set~image.tag=v1", "helm~upgrade~--set~image.tag=v1"),
            ("x~ghp_0123456789abcdefghij0123456789abcdef", "x~[redacted]"),
            (
                "kubectl~set~image~deploy/shop~shop=r.test/shop@sha256:6e9f",
                "kubectl~set~image~deploy/shop~shop=r.test/shop@sha256:6e9f",
            ),
            ("x~9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "x~9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
            ("x~", "x~"),
        ] {
            assert_eq!(told(line), want, "{line}");
        }
    }

    #[test]
    fn rules_of_the_caller_count_and_so_does_the_limit() {
        let rules = [Regex::new("^cust-").unwrap()];
        let words: Vec<String> = ["x", "cust-4711", "a"].iter().map(|w| (*w).to_owned()).collect();
        assert_eq!(command(&words, &rules), ["x", REDACTED, "a"]);
        for (n, want) in [(WORDS, WORDS), (WORDS + 1, WORDS + 1), (WORDS + 9, WORDS + 1)] {
            assert_eq!(command(&vec!["x".to_owned(); n], &[]).len(), want, "{n}");
        }
        assert_eq!(command(&vec!["x".to_owned(); WORDS + 9], &[]).last().map(String::as_str), Some("[and 9 more]"));
    }

    proptest! {
        #[test]
        fn a_secret_behind_a_telling_name_never_stays(
            name in prop::sample::select(vec!["password", "api-key", "auth-token", "client_secret", "PASSPHRASE"]),
            secret in "[a-z]{6}[0-9]{3}",
            glue in prop::sample::select(vec!["=", " ", ": "]),
            before in prop::collection::vec("[a-z./]{1,8}", 0..4),
        ) {
            let mut words: Vec<String> = std::iter::once("tool".to_owned()).chain(before).collect();
            if glue == " " {
                words.extend([format!("--{name}"), secret.clone()]);
            } else {
                words.push(format!("--{name}{glue}{secret}"));
            }
            let told = command(&words, &[]).join("\n");
            prop_assert!(!told.contains(&secret), "{told}");
        }

        #[test]
        fn nothing_makes_it_panic(words in prop::collection::vec(".*", 0..6)) {
            prop_assert_eq!(command(&words, &[]).len(), words.len());
        }
    }
}
