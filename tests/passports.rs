//! Token passthrough does not compile (house.md §1): each case is refused by the compiler, with the error that it ought to be refused with.

#[test]
fn a_request_that_skipped_a_check_does_not_compile_on_its_way_to_nextcloud() {
    let cases = trybuild::TestCases::new();
    // The twin that compiles: otherwise the others could fail for any reason.
    cases.pass("tests/passports/the_stack_compiles_in_its_order.rs");
    cases.compile_fail("tests/passports/a_plain_request_cannot_reach_nextcloud.rs");
    cases.compile_fail("tests/passports/an_authenticated_request_cannot_reach_nextcloud.rs");
    cases.compile_fail("tests/passports/an_authorized_request_cannot_reach_nextcloud.rs");
    cases.compile_fail("tests/passports/the_exchange_cannot_come_before_authorization.rs");
    cases.compile_fail("tests/passports/an_untouched_request_cannot_reach_the_leg_of_tokens.rs");
    cases.compile_fail("tests/passports/a_request_with_a_token_cannot_pass_untouched.rs");
    cases.compile_fail("tests/passports/a_passport_cannot_be_forged.rs");
    cases.compile_fail("tests/passports/a_tool_cannot_see_a_token.rs");
    cases.compile_fail("tests/passports/a_subject_token_cannot_become_a_header.rs");
    cases.compile_fail("tests/passports/a_subject_token_cannot_be_printed_or_be_a_key.rs");
}
