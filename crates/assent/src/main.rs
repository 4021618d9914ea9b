//! assent
fn main() {}
