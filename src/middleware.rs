//! The middleware, in the order a request meets it. One file, one layer, one verb; each passport is minted in the file that does the check.

pub mod respond;
mod unread;
pub mod trace;
// A request without a token, where an operator lets it pass: Request → Untouched.
pub mod untouched;
// The passports: Request → Authenticated → Authorized → Exchanged.
pub mod authenticate;
pub mod authorize;
pub mod exchange;
