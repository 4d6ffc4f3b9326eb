//! How a run ended, out of the words and contexts of the platforms. Skipped is not success, unknown is not failure.

use crate::record::parts_v1::{JobResult, Outcome};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// The words to offer a person whose word is none.
pub(crate) const WORDS: &str = "succeeded, failed, cancelled, unknown, an exit code, or the platform's own word";

/// Largest context that is read, in bytes. Outputs of jobs make it long, not the results.
const LARGEST: usize = 8 * 1024 * 1024;
/// Most jobs that one context may hold; GitHub stops at 256 legs of a matrix, which count as one job here.
const MOST: usize = 1000;
/// Longest result, and how much of a job's name is kept, in bytes.
const LONGEST: usize = 200;

/// The outcome that a platform's word or an exit code stands for; `None` for a word that no platform uses.
///
/// Azure's `SucceededWithIssues` and Jenkins' `UNSTABLE` follow their own platform: the first lets a deployment go on,
/// the second means failed tests.
pub(crate) fn from_word(word: &str) -> Option<Outcome> {
    let word = word.trim();
    if let Ok(code) = word.parse::<i64>() {
        return Some(if code == 0 { Outcome::Succeeded } else { Outcome::Failed });
    }
    let plain: String =
        word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    Some(match plain.as_str() {
        "success" | "succeeded" | "successful" | "passed" | "succeededwithissues" => Outcome::Succeeded,
        "failure" | "failed" | "failing" | "error" | "errored" | "unstable" | "timedout" | "startupfailure" => {
            Outcome::Failed
        }
        "cancelled" | "canceled" | "canceling" | "cancelling" | "aborted" | "killed" | "stopped" => Outcome::Cancelled,
        // did not run, has not ended, or says nothing about ending
        "skipped" | "neutral" | "unknown" | "stale" | "notbuilt" | "notrun" | "running" | "pending" | "created"
        | "manual" | "scheduled" | "preparing" | "waitingforresource" | "queued" | "inprogress" | "blocked"
        | "onhold" | "actionrequired" => Outcome::Unknown,
        _ => return None,
    })
}

/// Why a context could not be read. Never quotes a value: the outputs of jobs stand beside the results.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NeedsError {
    /// Longer than this program reads.
    #[error("could not read the jobs: they are longer than {LARGEST} bytes\npass `toJSON(needs)` and nothing else")]
    TooLarge,
    /// Not JSON.
    #[error(
        "could not read the jobs: not JSON at line {line} column {column}\nquote `${{{{ toJSON(needs) }}}}` as a whole"
    )]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, and not an object of objects.
    #[error(
        "could not read the jobs: at line {line} column {column} stands something else than {{\"job\": {{\"result\": …}}}}"
    )]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// One name twice: two results, of which either could be the true one.
    #[error("could not read the jobs: {0}")]
    Duplicate(String),
    /// A job that says nothing about its end.
    #[error("could not read the jobs: `{0}` has neither `result` (of needs) nor `outcome` (of steps)")]
    NoResult(String),
    /// More than a context holds.
    #[error("could not read the jobs: there are more than {MOST}")]
    TooMany,
}

/// Reads GitHub's `toJSON(needs)`, `{job: {result, outputs}}`, or `toJSON(steps)`, `{id: {outcome, conclusion}}`.
///
/// Any failure makes `Failed`, else any cancellation `Cancelled`, else all success `Succeeded`. A skipped job beside
/// successful ones makes `Unknown`: GitHub lets skipped checks pass, but nobody tested what did not run; the verbatim
/// results let a reader decide otherwise. Nothing at all is `Unknown` too. Of steps the `outcome` counts, because
/// `conclusion` is what `continue-on-error` made of it.
pub(crate) fn needs(json: &str) -> Result<(Vec<JobResult>, Outcome), NeedsError> {
    if json.len() > LARGEST {
        return Err(NeedsError::TooLarge);
    }
    let Jobs(jobs) = serde_json::from_str(json).map_err(|e| {
        let (line, column, text) = (e.line(), e.column(), e.to_string());
        match () {
            // only our own message and serde's on a field's name begin so; neither holds a value
            () if e.is_data() && text.starts_with("duplicate ") => NeedsError::Duplicate(text),
            () if e.is_data() => NeedsError::Shape { line, column },
            () => NeedsError::NotJson { line, column },
        }
    })?;
    if jobs.len() > MOST {
        return Err(NeedsError::TooMany);
    }
    let mut results = Vec::with_capacity(jobs.len());
    for (name, ended) in jobs {
        let name = cut(&name);
        match ended.result.or(ended.outcome).filter(|word| !word.is_empty() && word.len() <= LONGEST) {
            Some(result) => results.push(JobResult { name, result }),
            None => return Err(NeedsError::NoResult(name)),
        }
    }
    let outcome = of_all(&results);
    Ok((results, outcome))
}

/// One outcome out of many, whatever their order.
fn of_all(results: &[JobResult]) -> Outcome {
    let mut all = results.iter().map(|job| from_word(&job.result).unwrap_or_default()).peekable();
    if all.peek().is_none() {
        return Outcome::Unknown;
    }
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Failed => 3,
        Outcome::Cancelled => 2,
        Outcome::Unknown => 1,
        Outcome::Succeeded => 0,
    };
    all.max_by_key(rank).unwrap_or_default()
}

fn cut(name: &str) -> String {
    let end = (0..=LONGEST.min(name.len())).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
    name.get(..end).unwrap_or_default().to_owned()
}

/// What one job or step says. `conclusion` is left unread on purpose.
#[derive(Deserialize)]
struct Ended {
    result: Option<String>,
    outcome: Option<String>,
}

/// An object read in its order, each name once.
struct Jobs(Vec<(String, Ended)>);

impl<'de> Deserialize<'de> for Jobs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Jobs;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of jobs")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Jobs, A::Error> {
                let (mut jobs, mut seen) = (Vec::new(), HashSet::new());
                while let Some((name, ended)) = map.next_entry::<String, Ended>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!("duplicate job `{}`", cut(&name))));
                    }
                    jobs.push((name, ended));
                }
                Ok(Jobs(jobs))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_platforms_words_are_known() {
        use Outcome::*;
        let table = [
            (Succeeded, "success succeeded passed SUCCESS Succeeded SucceededWithIssues successful 0"),
            (Failed, "failure failed FAILURE UNSTABLE timed_out error Failed startup_failure failing 1 -1 137"),
            (Cancelled, "cancelled canceled Canceled ABORTED killed CANCELED stopped"),
            (Unknown, "skipped neutral unknown running NOT_BUILT not_run pending in_progress on_hold action_required"),
        ];
        for (want, words) in table {
            for word in words.split(' ') {
                assert_eq!(from_word(word), Some(want), "{word}");
            }
        }
        for word in ["", "yes", "true", "succes", "0x0", "1.0", "💥"] {
            assert_eq!(from_word(word), None, "{word}");
        }
    }

    #[test]
    fn contexts_are_read() {
        use Outcome::*;
        let table = [
            (r#"{"build":{"result":"success","outputs":{}},"test":{"result":"success"}}"#, Succeeded),
            (r#"{"build":{"result":"success"},"test":{"result":"failure"},"scan":{"result":"cancelled"}}"#, Failed),
            (r#"{"build":{"result":"success"},"scan":{"result":"cancelled"},"x":{"result":"skipped"}}"#, Cancelled),
            (r#"{"build":{"result":"success"},"deploy":{"result":"skipped"}}"#, Unknown),
            (r#"{"deploy":{"result":"skipped"}}"#, Unknown),
            (r#"{"deploy":{"result":"a_word_of_tomorrow"},"b":{"result":"success"}}"#, Unknown),
            ("{}", Unknown),
            // continue-on-error makes the conclusion a success; the step failed
            (r#"{"unit":{"outputs":{},"outcome":"failure","conclusion":"success"}}"#, Failed),
            (r#"{"unit":{"outputs":{"k":"v"},"outcome":"success","conclusion":"success"}}"#, Succeeded),
        ];
        for (json, want) in table {
            let (results, outcome) = needs(json).unwrap();
            assert_eq!(outcome, want, "{json}");
            assert!(results.len() == json.matches("result").count().max(json.matches("outcome").count()), "{json}");
        }
    }

    #[test]
    fn what_is_no_context_is_refused_without_quoting_it() {
        let deep = format!(r#"{{"a":{{"result":"success","outputs":{}}}}}"#, "[".repeat(100_000));
        let many: Vec<_> = (0..=MOST).map(|i| format!(r#""j{i}":{{"result":"success"}}"#)).collect();
        let table = [
            ("", "not JSON at line 1 column 0"),
            ("hunter2", "not JSON at line 1 column 1"),
            (r#"{"a":{"result":"success"}} hunter2"#, "not JSON at line 1 column 28"),
            ("\n[\"hunter2\"]", "at line 2 column 0"),
            ("null", "something else"),
            (r#"{"a":"hunter2"}"#, "at line 1 column 14"),
            (r#"{"a":{"result":7}}"#, "something else"),
            (r#"{"a":{"result":["hunter2"]}}"#, "something else"),
            (r#"{"a":{"result":"success"},"a":{"result":"failure"}}"#, "duplicate job `a`"),
            (r#"{"a":{"result":"failure","result":"success"}}"#, "duplicate field `result`"),
            (r#"{"a":{"conclusion":"success"}}"#, "`a` has neither"),
            (r#"{"a":{"result":""}}"#, "`a` has neither"),
            (&deep, "not JSON"),
            (&format!("{{{}}}", many.join(",")), "more than 1000"),
            (&" ".repeat(LARGEST + 1), "longer than"),
        ];
        for (json, want) in table {
            let error = needs(json).unwrap_err().to_string();
            assert!(error.contains(want), "{json:.80}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    fn write(jobs: &[(usize, &str)]) -> String {
        let jobs: Vec<_> = jobs.iter().map(|(i, word)| format!(r#""j{i}":{{"result":"{word}"}}"#)).collect();
        format!("{{{}}}", jobs.join(","))
    }

    proptest! {
        #[test]
        fn a_failed_job_is_never_outvoted_and_order_does_not_matter(
            words in prop::collection::vec(prop::sample::select(vec!["success", "failure", "cancelled", "skipped"]), 0..8),
            place in 0usize..9,
            turn in 0usize..8,
        ) {
            let mut jobs: Vec<_> = words.into_iter().enumerate().collect();
            let before = needs(&write(&jobs)).unwrap().1;
            let mut turned = jobs.clone();
            let by = turn.min(turned.len());
            turned.rotate_left(by);
            prop_assert_eq!(needs(&write(&turned)).unwrap().1, before);
            prop_assert_eq!(
                before == Outcome::Succeeded,
                !jobs.is_empty() && jobs.iter().all(|(_, word)| *word == "success")
            );
            jobs.insert(place.min(jobs.len()), (99, "failure"));
            prop_assert_eq!(needs(&write(&jobs)).unwrap().1, Outcome::Failed);
        }

        #[test]
        fn nothing_makes_it_panic(text: String) {
            let _ = needs(&text);
            let _ = from_word(&text);
        }
    }
}
