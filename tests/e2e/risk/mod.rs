//! Risk from the outside: stated values, the estate's values, and the one that counts.

mod adjusted;
mod checklist;
mod forecast;
mod lowered;
mod reach;
