//! obo-proxy as a whole, in this process, between real servers: the embedded identity provider and the Nextcloud stand-in.

mod house;

mod smoke;

mod wire;

mod hygiene;

mod framing;

mod bodies;

mod limits;

mod tunnels;

mod rejected;

mod never;

mod operations;
