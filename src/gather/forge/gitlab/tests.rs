use crate::gather::forge::cases;

#[test]
fn every_case_in_the_folder_is_told_as_its_name_says() {
    cases::run_all("gitlab", 22);
}
