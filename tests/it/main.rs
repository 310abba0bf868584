//! obo-proxy as a whole, in this process, between real servers: the embedded identity provider and the Nextcloud stand-in.

mod exchange;
mod house;

mod laws;
mod opaque;
mod smoke;
mod tokens;
mod told;
mod verdict;
