//! Risk from the outside: what is stated, what the estate says, and what counts.

mod forecast;
mod lowered;
