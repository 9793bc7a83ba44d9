//! The self-test tells the truth: on this host, where no wall stands, and where one has been taken away.

use proto::execution_v1::Wall;

use crate::support::{BINARY, Worker, after, bash, doctor, output, skipped, token, without};

#[test]
fn every_required_wall_stands_here() {
    let examined = doctor(&[], &[], &[]);
    assert_eq!(examined.code, Some(0), "{examined}");
    let walls = examined.found["walls"].as_array().unwrap();
    assert_eq!(walls.len(), 20, "{examined}");
    for wall in walls {
        let stands = wall["state"] == "enforced";
        assert!(stands || wall["required"] == false, "{wall}");
        assert_eq!(wall["remedy"].is_null(), stands, "{wall}");
    }
    let languages = &examined.found["languages"];
    assert_eq!((&languages[0]["name"], &languages[0]["found"]), (&"bash".into(), &true.into()));
}

/// Otherwise an attempt may be one that cannot succeed anywhere.
#[test]
fn where_no_wall_stands_each_is_found_missing() {
    let examined = doctor(&[], &["--control"], &[]);
    for wall in examined.found["walls"].as_array().unwrap() {
        assert_eq!(wall["state"], "missing", "{examined}");
    }
    assert_eq!(examined.code, Some(0), "{examined}");
}

#[test]
fn a_host_without_user_namespaces_is_refused() {
    let Some(wrapper) = without("user namespaces") else { return };
    doctor(&wrapper, &[], &[]).is_refused_for("user_namespace");
}

#[test]
fn the_remedy_is_that_of_the_host() {
    // Within another user namespace anybody can set its limits.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let wrapper = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"];
    if !output(&[&wrapper[..], &["true"]].concat(), &[]).status.success() {
        return skipped("no user namespaces here");
    }
    let examined = doctor(&wrapper, &[], &[]);
    examined.is_refused_for("user_namespace");
    let remedy = examined.wall("user_namespace")["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("`sysctl user.max_user_namespaces=15000` (it is 0)"), "{remedy}");
}

#[test]
fn a_host_without_seccomp_is_refused() {
    let Some(wrapper) = without("seccomp") else { return };
    doctor(&wrapper, &[], &[]).is_refused_for("seccomp");
}

#[test]
fn a_kernel_that_only_says_that_it_filters_is_found_out() {
    let Some(wrapper) = without("seccomp that filters") else { return };
    let examined = doctor(&wrapper, &[], &[]);
    examined.is_refused_for("seccomp");
    let seen = examined.wall("seccomp")["seen"].as_str().unwrap();
    assert!(seen.contains("ptrace: succeeded"), "{seen}");
    assert_eq!(examined.wall("capabilities")["state"], "enforced", "{examined}");
}

#[test]
fn a_host_without_pivot_root_is_refused() {
    let Some(wrapper) = without("pivot_root") else { return };
    doctor(&wrapper, &[], &[]).is_refused_for("mount_namespace");
    let Some(wrapper) = without("pivot_root that moves") else { return };
    let examined = doctor(&wrapper, &[], &[]);
    assert_eq!(
        (examined.code, &examined.found["level"]),
        (Some(1), &"refused".into()),
        "{examined}"
    );
}

#[test]
fn without_cgroups_it_is_degraded_or_refused_as_the_operator_wants() {
    let wrapper = after("mount -t tmpfs none /sys");
    let ordinary = !rustix::process::geteuid().is_root();
    let wrapper = wrapper.unwrap_or_default();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let examined = doctor(&wrapper, &[], &[]);
    if ordinary && examined.wall("cgroup_memory")["state"] == "enforced" {
        return skipped("this user has cgroups");
    }
    for wall in ["cgroup_memory", "cgroup_pids", "cgroup_cpu"] {
        examined.is_degraded_by(wall);
        assert_eq!(examined.wall(wall)["state"], "best_effort", "{examined}");
    }
    // Something stands in for each of them.
    assert_eq!(examined.wall("limits")["state"], "enforced", "{examined}");

    let refused = doctor(&wrapper, &[], &[("REQUIRE_CGROUPS", "true")]);
    assert_eq!((refused.code, &refused.found["level"]), (Some(1), &"refused".into()), "{refused}");
    let refused = doctor(&wrapper, &[], &[("REQUIRE_CPU_QUOTA", "true")]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(refused.wall("cgroup_cpu")["required"], true, "{refused}");
    assert_eq!(refused.wall("cgroup_memory")["required"], false, "{refused}");
}

#[test]
fn where_proc_is_covered_it_is_degraded_or_refused_as_the_operator_wants() {
    let Some(wrapper) = after("mount --bind /dev/null /proc/version") else { return };
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let examined = doctor(&wrapper, &[], &[]);
    examined.is_degraded_by("proc");
    assert!(examined.wall("proc")["remedy"].as_str().unwrap().contains("/proc/version"));
    // It is there, and cannot be looked at; others show in what can be done.
    assert_eq!(examined.wall("ipc_namespace")["state"], "best_effort", "{examined}");
    assert_eq!(examined.wall("pid_namespace")["state"], "enforced", "{examined}");
    doctor(&wrapper, &[], &[("REQUIRE_FRESH_PROC", "true")]).is_refused_for("proc");
}

#[test]
fn an_ordinary_users_sandboxes_share_a_uid_which_the_operator_may_forbid() {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let wrapper: &[&str] = if rustix::process::geteuid().is_root() { &nobody } else { &[] };
    if !output(&[wrapper, &[BINARY, "--version"]].concat(), &[]).status.success() {
        return skipped("an ordinary user cannot come to the executable");
    }
    doctor(wrapper, &[], &[]).is_degraded_by("own_uid");
    doctor(wrapper, &[], &[("REQUIRE_OWN_UIDS", "true")]).is_refused_for("own_uid");
}

#[test]
fn a_worker_that_lacks_a_wall_does_not_start_and_says_why_once() {
    let Some(wrapper) = without("seccomp that filters") else { return };
    let token = token();
    let variables = [("LISTEN", "127.0.0.1:0"), ("INTERNAL_AUTH_TOKEN", token.as_str())];
    let refused = output(&[&wrapper[..], &[BINARY]].concat(), &variables);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    for part in
        ["wall seccomp is missing", "tried:", "ptrace: succeeded (must be EPERM)", "remedy:"]
    {
        assert_eq!(said.matches(part).count(), 1, "{said}");
    }
    let Some(wrapper) = without("user namespaces") else { return };
    let refused = output(&[&wrapper[..], &[BINARY]].concat(), &variables);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(said.matches("wall user_namespace is missing").count(), 1, "{said}");
}

#[tokio::test]
async fn a_worker_warns_of_each_wall_that_is_weaker_and_tells_its_callers() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    let isolation = caller.capabilities().await.isolation.unwrap();
    let weaker: Vec<&Wall> =
        isolation.walls.iter().filter(|wall| wall.state != "enforced").collect();
    assert_eq!(isolation.level == "full", weaker.is_empty(), "{isolation:?}");
    assert_eq!(worker.log().matches("a wall is weaker").count(), weaker.len());
    for wall in &isolation.walls {
        assert_eq!(wall.remedy.is_some(), wall.state != "enforced", "{wall:?}");
        assert!(!wall.detail.is_empty(), "{wall:?}");
    }
}
