use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn test_key() -> PrivateKey {
    PrivateKey::generate(std::array::from_fn(|i| i as u8))
}

#[expect(clippy::disallowed_methods, reason = "a test that starts programs needs PATH")]
fn command(line: &str, timeout: Duration) -> Signer {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let environment = vec![("PATH".into(), path), ("NAME".into(), "value".into())];
    let folder = std::env::temp_dir();
    Signer::Command(SigningCommand::new(line, test_key().public(), environment, folder, timeout).unwrap())
}

fn shell(script: &str) -> Signer {
    assert!(!script.contains('\''));
    command(&format!("sh -c '{script}'"), Duration::from_secs(20))
}

#[test]
fn a_key_signs_and_its_signature_is_checked() {
    let signer = Signer::Key(test_key());
    let sig = signer.sign(b"message").unwrap();
    assert!(signer.public_key().verify(b"message", &sig));
    assert!(!format!("{signer:?}").contains("AAEC"), "{signer:?}");
}

#[cfg(unix)]
mod commands {
    use super::*;

    #[test]
    fn a_command_signs_what_it_reads() {
        let message = vec![b'x'; 300_000];
        let sig = STANDARD.encode(test_key().sign(&message));
        for answer in [sig.clone(), format!("vault:v12:{sig}"), sig.replace('+', "-").replace('/', "_")] {
            // the size proves that all of stdin arrived; more than a pipe holds
            let script = format!("test $(wc -c) = 300000 && test $NAME = value && echo {answer}");
            assert!(shell(&script).sign(&message).is_ok(), "{answer}");
        }
    }

    #[test]
    fn a_command_that_does_not_read_is_judged_by_its_answer() {
        let message = vec![b'x'; 300_000];
        let sig = STANDARD.encode(test_key().sign(&message));
        assert!(shell(&format!("echo {sig}")).sign(&message).is_ok());
    }

    #[test]
    fn failures_say_what_the_command_said() {
        let other = STANDARD.encode(test_key().sign(b"other"));
        let cases = [
            ("echo oh no >&2; echo so it is >&2; exit 3".to_owned(), "failed (exit status: 3): oh no / so it is"),
            ("kill -9 $$".into(), "signal: 9"),
            ("exit 0".into(), "it is empty"),
            ("echo AAAA".into(), "it has 3 bytes"),
            ("echo /not/base64".into(), "not padded base64"),
            ("yes".into(), "not padded base64"),
            ("yes >&2 & kill $!; wait; exit 1".into(), "failed"),
            (format!("echo {other}"), "does not verify under SHA256:lbms"),
        ];
        for (script, want) in cases {
            // `yes` never ends by itself: its pipe stays drained until the deadline
            let limit = Duration::from_secs(if script == "yes" { 1 } else { 20 });
            let Signer::Command(mut c) = shell(&script) else { panic!() };
            c.timeout = limit;
            let e = Signer::Command(c).sign(b"message").unwrap_err().to_string();
            let want = if script == "yes" { "did not answer in 1 s" } else { want };
            assert!(e.contains(want), "{script}: {e}");
            assert!(!e.contains(&other) && e.len() < 2_500, "{e}");
        }
    }

    #[test]
    fn a_control_character_does_not_reach_the_terminal() {
        let e = shell("printf \"\\033[31mred\" >&2; exit 1").sign(b"m").unwrap_err().to_string();
        assert!(e.ends_with(": [31mred"), "{e:?}");
    }

    #[test]
    fn the_deadline_holds_even_when_a_grandchild_keeps_the_pipes() {
        let begun = Instant::now();
        for script in ["sleep 30", "echo wait >&2; sleep 30", "sleep 30 & sleep 30"] {
            let signer = command(&format!("sh -c '{script}; true'"), Duration::from_millis(300));
            let e = signer.sign(b"m").unwrap_err();
            assert!(matches!(e, SignerError::TimedOut { .. }), "{e}");
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let e = command("no-such-signer --x", TIMEOUT).sign(b"m").unwrap_err().to_string();
        assert!(e.contains("could not start the signer `no-such-signer`"), "{e}");
    }
}
