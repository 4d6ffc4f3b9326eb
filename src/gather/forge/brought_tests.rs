use super::*;
use proptest::prelude::*;

fn commit(sha: &str, parents: &[&str], message: &str) -> Commit {
    Commit {
        sha: sha.repeat(8),
        parents: parents.iter().map(|p| p.repeat(8)).collect(),
        message: message.into(),
        ..Commit::default()
    }
}

fn request(number: &str, merge: &str) -> Candidate {
    Candidate { number: number.into(), merge_commit: Some(merge.repeat(8)), target: Some("main".into()) }
}

/// `number method: commits`, or `direct: …`, `unknown: …`.
fn told(
    commits: &[Commit],
    merged: &[Candidate],
    whole: bool,
    own: &[(&str, &[Commit])],
    belongs: Option<&[Candidate]>,
) -> Vec<String> {
    let asks = Asks {
        belongs: &mut |_| belongs.map_or(Belongs::Never, |all| Belongs::To(all.to_vec())),
        own: &mut |c| own.iter().find(|(n, _)| *n == c.number).map(|(_, all)| all.to_vec()),
    };
    let ways = ways(commits, Some("main"), merged, whole, asks);
    let tell = |way: Way| {
        let names: Vec<&str> = way.at.iter().map(|at| &commits[*at].sha[..1]).collect();
        let by = match way.by {
            By::Request(c, method) => format!("{} {}", c.number, method.unwrap_or("?")),
            By::Nothing => "direct".into(),
            By::Unknown => "unknown".into(),
        };
        format!("{by}: {}", names.join(""))
    };
    ways.into_iter().map(tell).collect()
}

#[test]
fn each_method_brings_its_commits_and_no_others() {
    // d is a merge of the line b, c; a stood there before; e was pushed on top
    let graph = [
        commit("e", &["d"], "E"),
        commit("d", &["a", "c"], "M"),
        commit("c", &["b"], "C"),
        commit("b", &["0"], "B"),
        commit("a", &["0"], "A"),
    ];
    let line = [commit("c", &["b"], "C"), commit("b", &["0"], "B")];
    assert_eq!(told(&graph, &[request("1", "d")], true, &[], None), ["1 merge: dcb", "direct: ea"]);
    assert_eq!(told(&graph, &[request("1", "d")], false, &[], None), ["1 merge: dcb", "unknown: ea"]);
    assert_eq!(
        told(&graph, &[], false, &[], Some(&[request("1", "d")])),
        ["1 merge: dcb", "unknown: ea"],
        "a pull request lists e and a"
    );
    assert_eq!(told(&graph, &[], false, &[], Some(&[])), ["direct: edcba"]);
    assert_eq!(told(&line, &[request("2", "c")], true, &[("2", &line)], None), ["2 fastForward: cb"]);
    let squashed = [commit("s", &["a"], "all of it"), commit("a", &["0"], "A")];
    assert_eq!(told(&squashed, &[request("3", "s")], true, &[("3", &line)], None), ["3 squash: s", "direct: a"]);
    assert_eq!(
        told(&squashed, &[request("3", "s")], true, &[], None),
        ["3 ?: s", "direct: a"],
        "its commits are not known"
    );
    let rebased = [commit("y", &["x"], "C\n"), commit("x", &["a"], "B"), commit("a", &["0"], "A")];
    assert_eq!(told(&rebased, &[request("4", "y")], true, &[("4", &line)], None), ["4 rebase: yx", "direct: a"]);
    let elsewhere = Candidate { target: Some("release".into()), ..request("5", "d") };
    assert_eq!(told(&graph, &[elsewhere], true, &[], None), ["direct: edcba"], "it went into another branch");
}

#[test]
fn the_newest_comes_first_however_a_forge_lists() {
    let line = vec![commit("c", &["b"], "C"), commit("b", &["0"], "B")];
    let turned: Vec<Commit> = line.iter().rev().cloned().collect();
    assert_eq!(newest_first(turned), line);
    assert_eq!(newest_first(line.clone()), line);
    assert_eq!(newest_first(line[..1].to_vec()), line[..1]);
}

#[test]
fn an_abbreviation_is_long_enough_and_the_beginning() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    assert!(is_abbreviation("0123456789AB", sha) && is_abbreviation(sha, sha));
    for other in ["", "012345", "0123456789ac", "1234567", "0123456789abcdef0123456789abcdef012345678", "012345é"] {
        assert!(!is_abbreviation(other, sha), "{other}");
    }
}

proptest! {
    /// Whatever the graph looks like: every commit comes by exactly one way.
    #[test]
    fn every_commit_comes_by_one_way(
        parents in prop::collection::vec(prop::collection::vec(0usize..12, 0..3), 1..12),
        merges in prop::collection::vec(0usize..12, 0..5),
        whole: bool,
        belongs: bool,
    ) {
        let name = |at: usize| char::from(b'a' + at as u8).to_string();
        let commits: Vec<Commit> = parents.iter().enumerate().map(|(at, all)| {
            let all: Vec<String> = all.iter().map(|p| name(*p)).collect();
            commit(&name(at), &all.iter().map(String::as_str).collect::<Vec<_>>(), "m")
        }).collect();
        let merged: Vec<Candidate> = merges.iter().enumerate().map(|(n, at)| request(&n.to_string(), &name(*at))).collect();
        let asks = Asks {
            belongs: &mut |_| if belongs { Belongs::To(vec![]) } else { Belongs::Untold },
            own: &mut |_| Some(commits.clone()),
        };
        let ways = ways(&commits, None, &merged, whole, asks);
        let mut all: Vec<usize> = ways.iter().flat_map(|w| w.at.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..commits.len()).collect::<Vec<_>>());
    }
}
