//! Stories of keys.

use crate::stage::Stage;

#[test]
fn a_new_key_is_private_and_never_overwritten() {
    let stage = Stage::new();
    let made = stage.play(&["key", "new", "--output", "k.pem"]).exits(0);
    assert!(made.out.starts_with("-----BEGIN PUBLIC KEY-----"), "{}", made.out);
    let private = std::fs::read_to_string(stage.at("k.pem")).unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----"));
    let secret = private.lines().nth(1).unwrap();
    assert!(!made.out.contains(secret) && !made.err.contains(secret), "the secret is never printed");
    let again = stage.play(&["key", "new", "--output", "k.pem"]).exits(1);
    assert!(again.err.contains("never overwritten"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(stage.at("k.pem")).unwrap(), private);
    let pem = stage.play(&["key", "show", "--signing-key", "k.pem", "--pem"]).exits(0).out;
    assert_eq!(pem, made.out);
    // The PEM text itself, as a CI secret would carry it.
    let same = stage.play(&["key", "show", "--signing-key", &private, "--pem"]).exits(0).out;
    assert_eq!(pem, same);
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let mut stage = Stage::new();
    stage.play(&["key", "new", "--output", "k.pem", "--encrypt"]).exits(2);
    stage.env.insert("VOUCHSAFE_PASSPHRASE".into(), "correct horse".into());
    stage.play(&["key", "new", "--output", "k.pem", "--encrypt"]).exits(0);
    let pem = std::fs::read_to_string(stage.at("k.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let words = ["attest", "-e", "p", "--signing-key", "k.pem"];
    stage.play(&words).exits(0);
    stage.env.insert("VOUCHSAFE_PASSPHRASE".into(), "wrong".into());
    let wrong = stage.play(&words).exits(1);
    assert!(wrong.err.contains("passphrase") && !wrong.err.contains("wrong\n"), "{}", wrong.err);
    stage.env.remove("VOUCHSAFE_PASSPHRASE");
    let none = stage.play(&words).exits(1);
    assert!(none.err.contains("passphrase"), "{}", none.err);
    stage.write("pass.txt", "correct horse\n");
    stage.play(&["attest", "-e", "p", "--signing-key", "k.pem", "--passphrase-file", "pass.txt"]).exits(0);
}

#[test]
fn keys_that_cannot_be_used_say_the_way_out() {
    let stage = Stage::new();
    for (name, text, says) in [
        (
            "openssh",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "OpenSSH",
        ),
        ("rsa", "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n", "Ed25519"),
        (
            "public",
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n-----END PUBLIC KEY-----\n",
            "public",
        ),
        ("empty", "", "empty"),
        ("garbage", "hello", "PEM"),
    ] {
        stage.write(name, text);
        let played = stage.play(&["attest", "-e", "p", "--signing-key", name]).exits(1);
        assert!(played.err.contains(says), "{name}: {}", played.err);
        assert!(stage.records().is_empty());
    }
    // The identity point: everybody can forge for it.
    stage.write("weak.pem", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n");
    let weak = stage.play(&["key", "trust", "weak.pem", "--trust", "t.json"]).exits(1);
    assert!(weak.err.contains("weak"), "{}", weak.err);
    assert!(!stage.at("t.json").exists());
}

#[test]
fn a_vault_that_is_not_local_demands_a_key() {
    let mut stage = Stage::new();
    stage.env.insert("AWS_ACCESS_KEY_ID".into(), "x".into());
    stage.env.insert("AWS_SECRET_ACCESS_KEY".into(), "y".into());
    let played = stage.play(&["attest", "-e", "p", "--vault", "s3://evidence"]).exits(1);
    assert!(played.err.contains("--signing-key"), "{}", played.err);
    assert!(stage.files("home").is_empty(), "no key is made for somebody else's vault");
}

#[cfg(unix)]
#[test]
fn a_command_may_sign_and_its_answer_is_checked() {
    let stage = Stage::new();
    stage.play(&["key", "new", "--output", "k.pem"]).exits(0);
    let pem = stage.play(&["key", "show", "--signing-key", "k.pem", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    let liar = stage.write("liar.sh", "#!/bin/sh\ncat >/dev/null\nhead -c 64 /dev/zero | base64 -w0\n");
    let command = format!("sh {}", liar.display());
    let words = ["attest", "-e", "p", "--signer", &command, "--public-key", "public.pem"];
    let lied = stage.play(&words).exits(1);
    assert!(lied.err.contains("signature"), "{}", lied.err);
    assert!(stage.records().is_empty());
    stage.play(&["attest", "-e", "p", "--signer", &command]).exits(2);
}
