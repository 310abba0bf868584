//! obo-proxy as a whole, in this process, between real servers: the embedded identity provider and the Nextcloud stand-in.

mod house;
mod wire;

mod smoke;

mod bodies;
mod framing;
mod hygiene;
mod limits;
mod never;
mod operations;
mod rejected;
mod tls;
mod tunnels;
