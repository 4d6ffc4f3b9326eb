use super::super::cases;

#[test]
fn cases_say_what_they_should() {
    cases::run_all("forgejo", 12);
}
