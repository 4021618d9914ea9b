//! How much of a process is resident, as the system counts it.

/// Kibibytes of a process that are resident now.
pub fn resident(id: u32) -> u64 {
    field(id, "VmRSS:")
}

/// The most kibibytes that were resident since [`forget_peak`].
pub fn peak(id: u32) -> u64 {
    field(id, "VmHWM:")
}

/// Begins to count the peak anew.
///
/// # Panics
/// When the system does not let this process do so.
pub fn forget_peak(id: u32) {
    std::fs::write(format!("/proc/{id}/clear_refs"), "5").expect("the peak of an own child may be forgotten");
}

fn field(id: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the process runs");
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("the system counts memory");
    let number = line.split_whitespace().nth(1).expect("a figure follows its name");
    number.parse().expect("the figure is a number")
}
