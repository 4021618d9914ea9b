//! Machines that are namespaces: each has one cable (a pair of veth) to a bridge, and a test pulls the cable out.

use std::process::Command;

/// The prefix of the names of the namespaces; the process that made them follows.
const NAME: &str = "assent-";

/// A bridge with machines at it. Dropping it ends every program in them and removes them.
pub struct Network {
    places: Vec<&'static str>,
}

impl Network {
    /// Makes a machine for each name.
    ///
    /// # Errors
    /// Why it cannot be had, as text: it takes root and a kernel with namespaces.
    pub fn make(places: &[&'static str]) -> Result<Self, String> {
        sweep();
        let network = Self {
            places: places.to_vec(),
        };
        let bridge = bridge();
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{}/24", address_of(254)), "dev", &bridge])?;
        ip(&["link", "set", &bridge, "up"])?;
        for place in places {
            network.plug_in(place)?;
        }
        Ok(network)
    }

    fn plug_in(&self, place: &str) -> Result<(), String> {
        let (namespace, cable) = (namespace(place), cable(place));
        ip(&["netns", "add", &namespace])?;
        ip(&[
            "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
        ])?;
        ip(&["link", "set", &cable, "master", &bridge(), "up"])?;
        let address = format!("{}/24", self.address(place));
        ip(&["-n", &namespace, "addr", "add", &address, "dev", "eth0"])?;
        ip(&["-n", &namespace, "link", "set", "eth0", "up"])?;
        ip(&["-n", &namespace, "link", "set", "lo", "up"])
    }

    /// The address of a machine, which the test itself reaches as well.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn address(&self, place: &str) -> String {
        let number = self.places.iter().position(|known| *known == place);
        address_of(number.expect("the machine is one of the network's") + 1)
    }

    /// A program on a machine.
    pub fn command(&self, place: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &namespace(place), program]);
        command
    }

    /// Pulls the cable of a machine out.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn cut(&self, place: &str) {
        ip(&["link", "set", &cable(place), "down"]).expect("a cable can be pulled out");
    }

    /// Plugs it in again.
    ///
    /// # Panics
    /// When there is no such machine.
    pub fn join(&self, place: &str) {
        ip(&["link", "set", &cable(place), "up"]).expect("a cable can be plugged in");
    }

    /// The processes of a machine. All of them are the test's, as the machine is.
    pub fn processes(&self, place: &str) -> Vec<u32> {
        processes(&namespace(place))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for place in &self.places {
            remove(&namespace(place));
        }
        let _ = ip(&["link", "del", &bridge()]);
    }
}

fn namespace(place: &str) -> String {
    format!("{NAME}{}-{place}", std::process::id())
}

/// An interface's name has 15 characters at most.
fn cable(place: &str) -> String {
    format!("as{}{place}", std::process::id())
}

fn bridge() -> String {
    cable("br")
}

/// Two test programs at once have networks of their own.
fn address_of(number: usize) -> String {
    format!("10.87.{}.{number}", std::process::id() % 250 + 1)
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let done = Command::new("ip").args(arguments).output();
    let done = done.map_err(|error| format!("`ip` cannot be run ({error}): apt-get install iproute2"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(format!("`ip {}`: {said}", arguments.join(" ")))
}

fn processes(namespace: &str) -> Vec<u32> {
    let told = Command::new("ip").args(["netns", "pids", namespace]).output();
    let told = told.map(|done| done.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&told).into_owned();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Ends every program of a machine and removes it. One may start another while it is ended, so it is looked at again.
fn remove(namespace: &str) {
    for _ in 0..20 {
        let left = processes(namespace);
        if left.is_empty() {
            break;
        }
        for id in left {
            // It may be gone by itself meanwhile.
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).output();
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    let _ = ip(&["netns", "del", namespace]);
}

/// Removes the remains of a killed test: its number is in the name, and no such process is there.
fn sweep() {
    let listed = Command::new("ip").args(["netns", "list"]).output();
    let listed = listed.map(|done| done.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&listed).lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let Some((maker, _)) = name.strip_prefix(NAME).and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        let is_number = !maker.is_empty() && maker.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !std::path::Path::new("/proc").join(maker).exists() {
            remove(name);
            let _ = ip(&["link", "del", &format!("as{maker}br")]);
        }
    }
}
