//! Values that describe tokens and the people behind them. Nothing here does I/O.

pub mod audience;
pub mod clock;
pub mod digest;
pub mod identity;
pub mod lifetime;
pub mod purge;
pub mod scope;
pub mod secret;

pub use audience::Audiences;
pub use clock::{Clock, Timestamp};
pub use digest::{Digest, DigestBuilder};
pub use identity::{Identity, Principal};
pub use lifetime::{Lifetime, Phase};
pub use purge::Purge;
pub use scope::ScopeSet;
pub use secret::{BearerHeader, SubjectToken};
