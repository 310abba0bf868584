//! The exchange (product.md §3; checklist rows 20, 23 to 26, 51, 53).

mod cache;
mod checked;
mod modes;
mod outage;
mod purge;
mod refusals;
mod stampede;
