//! Resource indicators (RFC 8707): for whom a token is asked for.

use super::super::form::Form;

/// The resources of an authorization request (§2.1), each once. Where the realm knows none, the parameter is ignored.
///
/// # Errors
/// One that the realm does not know, for the answer `invalid_target`.
pub(super) fn asked(form: &Form, known: &[String]) -> Result<Vec<String>, String> {
    let mut asked: Vec<String> = Vec::new();
    for resource in form.all("resource").filter(|resource| !resource.is_empty() && !known.is_empty()) {
        if !known.iter().any(|it| it == resource) {
            return Err(resource.to_owned());
        }
        if !asked.iter().any(|it| it == resource) {
            asked.push(resource.to_owned());
        }
    }
    Ok(asked)
}

/// Those of a token request (§2.2): of what was granted, or if that was left open, of what the realm knows. All that was granted
/// where it names none.
///
/// # Errors
/// One that was not granted.
pub(super) fn narrowed(form: &Form, granted: &[String], known: &[String]) -> Result<Vec<String>, String> {
    let asked = asked(form, if granted.is_empty() { known } else { granted })?;
    Ok(if asked.is_empty() { granted.to_vec() } else { asked })
}
