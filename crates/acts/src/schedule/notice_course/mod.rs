//! The course after a vendor's notice: the change that takes it up, and the question how it ended.

pub mod past_end;
pub mod take_up;
