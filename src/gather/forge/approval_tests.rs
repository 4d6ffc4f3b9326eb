use super::*;
use proptest::prelude::*;

fn who(id: &str) -> Actor {
    Actor { id: Some(id.to_owned()), login: Some(format!("login{id}")), name: None }
}

fn at(minute: u32) -> DateTime<Utc> {
    format!("2026-11-25T10:{minute:02}:00Z").parse().unwrap()
}

/// Author `a`, merged at minute 30.
fn pull() -> PullRequest {
    PullRequest { number: "7".into(), author: Some(who("a")), merged_on: Some(at(30)), ..PullRequest::default() }
}

/// `b+10`: b approves at minute 10; `-` asks for changes, `.` comments, `x` is dismissed. A `~` behind it: stale.
fn review(text: &str) -> Review {
    let (by, rest) = text.split_at(1);
    let state = match &rest[..1] {
        "+" => ReviewState::Approved,
        "-" => ReviewState::ChangesRequested,
        "x" => ReviewState::Dismissed,
        _ => ReviewState::Commented,
    };
    let minute = rest[1..].trim_end_matches('~');
    Review {
        reviewer: if by == "?" { Actor::default() } else { who(by) },
        state,
        dismissed_state: None,
        submitted_on: minute.parse().ok().map(at),
        commit: None,
        stale: Some(rest.ends_with('~')),
        bot: Some(by == "r"),
        author_is_reviewer: None,
        after_merge: None,
        on_behalf_of: vec![],
        association: None,
        counts: None,
        why: None,
    }
}

/// `n` may not approve, of `m` it cannot be told.
fn may(review: &Review) -> Option<bool> {
    match review.reviewer.id.as_deref() {
        Some("n") => Some(false),
        Some("m") => None,
        _ => Some(true),
    }
}

/// `w` wrote commits.
fn judged(reviews: &mut [Review], required: Option<u32>) -> Approval {
    let (pull, rules, wrote) = (pull(), Rules { required_approvals: required, ..Rules::default() }, [who("w")]);
    let case =
        Case { pull_request: &pull, contributors: Some(&wrote), rules: Some(&rules), may: &may, incomplete: None };
    judge(&case, reviews)
}

fn of(text: &str, required: Option<u32>) -> Approval {
    judged(&mut text.split_whitespace().map(review).collect::<Vec<_>>(), required)
}

#[test]
fn the_rule_as_a_table() {
    use Approved::{No, Unknown, Yes};
    let table = [
        ("", No, "nobody approved it"),
        ("b+10", Yes, "1 approval counts"),
        ("b+10 c+11", Yes, "2 approvals count"),
        ("a+10", No, "given by the author"),
        ("w+10", No, "wrote commits"),
        ("r+10", No, "machine account"),
        ("n+10", No, "may not approve"),
        ("b+10~", No, "the source branch moved"),
        ("b+10~ b+20", Yes, "1 approval counts"),
        ("b+40", No, "given after the merge"),
        ("b+30", Yes, "in the very second of the merge it is not after it"),
        ("bx10", No, "nobody approved it"),
        ("bx10 b+20", Yes, "1 approval counts"),
        ("b+10 bx20", No, "replaced by a later review"),
        ("b.10", No, "nobody approved it"),
        ("b+10 b.20", Yes, "1 approval counts"),
        ("b+10 b-20", No, "loginb asked for changes"),
        ("b-10 b+20", Yes, "1 approval counts"),
        ("b-10 b.20 c+20", No, "loginb asked for changes"),
        ("b-10 bx20 c+20", Yes, "1 approval counts"),
        ("b-10 b+40 c+20", No, "loginb asked for changes"),
        ("b+10 b-40", Yes, "1 approval counts"),
        ("n-10 b+20", Yes, "1 approval counts"),
        ("b-10~ c+20", No, "loginb asked for changes"),
        ("m+10", Unknown, "whether they may approve cannot be told"),
        ("m+10 b+10", Yes, "1 approval counts"),
        ("m-10 b+20", Unknown, "whether loginm stood against"),
        ("m-10", No, "nobody approved it"),
        ("?+10", Unknown, "account of the reviewer is gone"),
        ("?-10 ?+20 b+20", Unknown, "stood against"),
        ("?-10 b+20", No, "whose account is gone asked for changes"),
        ("b+10 ?-20", No, "whose account is gone asked"),
        ("b+?", Unknown, "when it was given"),
        ("b-10 b+? c+20", Unknown, "whether loginb stood against"),
        ("b+10 b-?", Unknown, "a later review replaced it"),
    ];
    for (text, verdict, why) in table {
        let approval = of(text, None);
        assert_eq!(approval.verdict, verdict, "{text}: {}", approval.why);
        assert!(approval.why.contains(why) || why.starts_with("in the very"), "{text}: {}", approval.why);
    }
}

#[test]
fn as_many_as_the_rules_ask_for_and_at_least_one() {
    for (text, required, verdict) in [
        ("b+10", Some(2), Approved::No),
        ("b+10 b+11", Some(2), Approved::No),
        ("b+10 c+11", Some(2), Approved::Yes),
        ("b+10 m+11", Some(2), Approved::Unknown),
        ("b+10 m+11", Some(3), Approved::No),
        ("", Some(0), Approved::No),
        ("b+10", Some(0), Approved::Yes),
    ] {
        let approval = of(text, required);
        assert_eq!((approval.verdict, approval.required), (verdict, required), "{text}: {}", approval.why);
    }
}

#[test]
fn what_could_not_be_read_makes_it_unknown() {
    let (pull, nobody) = (pull(), PullRequest { author: None, ..pull() });
    let wrote: &[Actor] = &[];
    for (pull, contributors, incomplete, text) in [
        (&nobody, Some(wrote), None, "b+10"),
        (&pull, None, None, "b+10"),
        (&pull, Some(wrote), Some("page 3"), "b+10"),
        (&pull, Some(wrote), Some("page 3"), "b-10"),
        (&pull, Some(wrote), Some("page 3"), ""),
    ] {
        let case = Case { pull_request: pull, contributors, rules: None, may: &may, incomplete };
        let mut reviews: Vec<_> = text.split_whitespace().map(review).collect();
        let approval = judge(&case, &mut reviews);
        assert_eq!(approval.verdict, Approved::Unknown, "{}", approval.why);
    }
}

#[test]
fn before_the_merge_there_is_no_after() {
    let pull = PullRequest { merged_on: None, ..pull() };
    let case = Case { pull_request: &pull, contributors: Some(&[]), rules: None, may: &may, incomplete: None };
    assert_eq!(judge(&case, &mut [review("b+10")]).verdict, Approved::Yes);
    assert_eq!(judge(&case, &mut [review("b-10"), review("c+?")]).verdict, Approved::No);
}

#[test]
fn ids_say_who_somebody_is_and_logins_only_where_an_id_is_missing() {
    let actor = |id: Option<&str>, login: Option<&str>| Actor {
        id: id.map(Into::into),
        login: login.map(Into::into),
        name: None,
    };
    for (a, b, same) in [
        (actor(Some("1"), Some("x")), actor(Some("1"), Some("renamed")), Some(true)),
        (actor(Some("1"), Some("x")), actor(Some("2"), Some("x")), Some(false)),
        (actor(None, Some("X")), actor(Some("2"), Some("x")), Some(true)),
        (actor(None, Some("y")), actor(Some("2"), Some("x")), Some(false)),
        (actor(None, None), actor(Some("2"), Some("x")), None),
        (actor(Some("1"), None), actor(None, Some("x")), None),
    ] {
        assert_eq!(is_same(&a, &b), same, "{a:?} {b:?}");
    }
}

fn some() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abcdwrnm?][+.x-](05|10|20|29|31|40)~?", 0..8)
}

fn reviews(texts: &[String]) -> Vec<Review> {
    texts.iter().map(|t| review(t)).collect()
}

proptest! {
    #[test]
    fn a_comment_or_what_comes_after_the_merge_changes_nothing(texts in some(), at in 0..9usize, more in r"[bcd](\.10|[+x-]31)") {
        let plain = judged(&mut reviews(&texts), Some(1));
        let mut texts = texts;
        texts.insert(at.min(texts.len()), more);
        let with = judged(&mut reviews(&texts), Some(1));
        prop_assert_eq!((plain.verdict, plain.counted), (with.verdict, with.counted));
    }

    #[test]
    fn knowing_less_never_turns_a_verdict_into_its_opposite(texts in some(), at in 0..8usize, what in 0..3u8) {
        let plain = judged(&mut reviews(&texts), Some(1));
        let mut less = reviews(&texts);
        let Some(review) = less.get_mut(at) else { return Ok(()) };
        match what {
            0 => review.stale = None,
            1 => review.submitted_on = None,
            _ => review.reviewer = who("m"),
        }
        // who it was may be what a later review takes back, which is more than knowing less
        prop_assume!(what != 2 || texts.iter().filter(|t| t[..1] == texts[at][..1]).count() == 1 && !texts.iter().any(|t| t.starts_with('m')) && !texts[at].starts_with(['a', 'w', 'r']));
        let with = judged(&mut less, Some(1));
        prop_assert!(with.verdict == plain.verdict || with.verdict == Approved::Unknown || plain.verdict == Approved::Unknown, "{:?} {:?}", plain, with);
    }

    #[test]
    fn a_yes_stands_on_a_review_that_is_a_persons_and_in_time(texts in some()) {
        let mut all = reviews(&texts);
        let approval = judged(&mut all, None);
        let good = |r: &&Review| r.counts == Some(true);
        prop_assert_eq!(approval.verdict == Approved::Yes && !all.iter().any(|r| good(&r)), false);
        for r in all.iter().filter(good) {
            prop_assert!(r.state == ReviewState::Approved && r.after_merge == Some(false) && r.stale == Some(false) && r.bot == Some(false));
            prop_assert!(!["a", "w", "n", "m"].contains(&r.reviewer.id.as_deref().unwrap()));
        }
    }
}
