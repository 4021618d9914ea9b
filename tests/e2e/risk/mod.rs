//! Risk from the outside: what is stated, what the estate says, and what counts.

mod adjusted;
mod checklist;
mod forecast;
mod lowered;
mod reach;
