//! What the operator of this very host can do. The kernel is asked which of its settings is in the way,
//! so that nobody has to try all of them.

use std::fs;
use std::path::Path;

/// A switch of the kernel: its file, the value that is in the way, and what to do about it.
type Switch = (&'static str, &'static str, &'static str);

const USER_NAMESPACES: &[Switch] = &[
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "`sysctl user.max_user_namespaces=15000` (it is 0)",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "`sysctl kernel.unprivileged_userns_clone=1` (it is 0)",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or an AppArmor profile with `userns,` for \
         this executable (the restriction is on)",
    ),
];

/// For what no operator can be blamed for.
pub fn a_fault() -> String {
    String::from("this is a fault of ours: please report it with what was seen, and `uname -r`")
}

/// Limits that do not hold.
pub fn limits() -> String {
    if memory_stops_the_machine() {
        return String::from("`sysctl vm.panic_on_oom=0` (it is 2)");
    }
    a_fault()
}

/// Whether the kernel stops when any cgroup is out of memory, by Documentation/admin-guide/sysctl/vm.rst.
pub fn memory_stops_the_machine() -> bool {
    fs::read_to_string("/proc/sys/vm/panic_on_oom").is_ok_and(|text| text.trim() == "2")
}

/// A namespace could not be made.
pub fn user_namespaces() -> String {
    let mut steps: Vec<String> = in_the_way(USER_NAMESPACES);
    if steps.is_empty() {
        let general = "allow user namespaces: `sysctl user.max_user_namespaces=15000`, on Debian \
             `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu \
             `sysctl kernel.apparmor_restrict_unprivileged_userns=0`";
        steps.push(String::from(general));
    }
    steps.extend(container(
        "a seccomp profile (`security_opt: [\"seccomp=…\"]`) that allows clone, clone3, unshare, setns and \
         mount",
    ));
    steps.join("; ")
}

/// A root could not be built.
pub fn mounts() -> String {
    let mut steps = vec![String::from(
        "allow mounts inside user namespaces: check AppArmor and SELinux; Linux 5.13 or newer is needed",
    )];
    steps.extend(container(
        "a seccomp profile that allows mount, umount2, mount_setattr and pivot_root, and \
         `security_opt: [\"apparmor=unconfined\"]`",
    ));
    steps.join("; ")
}

/// There is no filter, or one that does nothing.
pub fn seccomp() -> String {
    String::from(
        "use a kernel with CONFIG_SECCOMP_FILTER, and start the worker directly on it: emulators \
         (qemu-user, gVisor, PRoot) answer the call and filter nothing",
    )
}

/// No cgroups.
pub fn cgroups() -> String {
    String::from("start as root, or under `systemd-run --user --scope -p Delegate=yes`")
}

/// Cgroups without that controller.
pub fn cpu_controller() -> String {
    format!(
        "{}; with systemd the cpu controller must be delegated too: `Delegate=cpu memory pids` for \
         user@.service",
        cgroups()
    )
}

/// All sandboxes share an id.
pub fn own_uids() -> String {
    String::from("start as root, which is given up for ids of the range 100000 to 165535 at once")
}

/// The kernel wants to see the whole of a `/proc` before it allows another.
pub fn proc() -> String {
    let covered = covered_proc();
    let mut steps = Vec::new();
    if !covered.is_empty() {
        steps.push(format!("unmount what covers parts of /proc here: {}", covered.join(" ")));
    }
    steps.extend(container(
        "`security_opt: [systempaths=unconfined]`, in Kubernetes `procMount: Unmasked`",
    ));
    if steps.is_empty() {
        steps.push(String::from("let /proc be mounted whole and writable where the worker starts"));
    }
    steps.join("; ")
}

fn in_the_way(switches: &[Switch]) -> Vec<String> {
    let set = |(file, value, _): &&Switch| {
        fs::read_to_string(file).is_ok_and(|text| text.trim() == *value)
    };
    switches.iter().filter(set).map(|(.., step)| String::from(*step)).collect()
}

/// A step for those who run in a container, where this is one.
fn container(step: &str) -> Option<String> {
    let marked = ["/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io"];
    marked.iter().any(|mark| Path::new(mark).exists()).then(|| format!("in this container {step}"))
}

/// What is mounted below `/proc`, but for what systemd puts there on every machine.
fn covered_proc() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = table.lines().filter_map(|line| line.split(' ').nth(4));
    places
        .filter(|place| place.starts_with("/proc/") && *place != "/proc/sys/fs/binfmt_misc")
        .map(String::from)
        .collect()
}
