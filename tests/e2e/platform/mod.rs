//! The server as a program: crashes, disks, backup, two servers, the demo and the guide.

pub(crate) mod backup;
pub(crate) mod beside;
pub(crate) mod broken;
pub(crate) mod burst;
pub(crate) mod canaries;
pub(crate) mod cases;
pub(crate) mod clock_jumps;
pub(crate) mod command_line;
pub(crate) mod crash;
pub(crate) mod demo;
pub(crate) mod disk;
pub(crate) mod failover;
pub(crate) mod filling;
pub(crate) mod guide;
pub(crate) mod languages;
pub(crate) mod lost_database;
pub(crate) mod paused_server;
pub(crate) mod plans;
pub(crate) mod promises;
pub(crate) mod proxied;
pub(crate) mod running_copy;
pub(crate) mod served_log;
pub(crate) mod stopped;
pub(crate) mod tls;
pub(crate) mod two_servers;
pub(crate) mod versions;
