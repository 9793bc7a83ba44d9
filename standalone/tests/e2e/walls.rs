//! What code can see and reach from inside: itself, and nothing else.

use serde_json::json;

use crate::case::{Case, run, run_all};
use crate::crucible::Crucible;
use crate::sessions::session;

#[tokio::test]
async fn the_hosts_files_are_not_there() {
    let shadow = "/etc/shadow";
    let refused = |case: Case| case.ends("failed").lacks("/stdout", "root:");
    let mut cases = vec![
        refused(run("python", "print(open('/etc/shadow').read())")),
        refused(run("node", "console.log(require('fs').readFileSync('/etc/shadow', 'utf8'))")),
        refused(run("bash", &format!("cat {shadow}"))),
        refused(run(
            "c",
            "#include <stdio.h>\nint main(void) { char b[99];\n\
             FILE *f = fopen(\"/etc/shadow\", \"r\"); if (!f) return 1; puts(fgets(b, 99, f)); }",
        )),
        run("c", "#include \"/etc/shadow\"\nint main(void) {}").ends("compile_failed"),
    ];
    let data = Crucible::shared().data().display().to_string();
    for path in ["/root", "/sys", "/boot", "/work", "/var/lib", "/var/log", "/proc/1/root", &data] {
        let list = format!("ls -A {path}/ 2>/dev/null | head -1");
        cases.push(run("bash", &format!("{list}; true")).prints(""));
    }
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn no_port_answers_neither_ours_nor_anybodys() {
    let crucible = Crucible::shared();
    let (_, port) = crucible.url().rsplit_once(':').expect("a port");
    let ours = format!("import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)");
    let all = "import socket\nopen_ports = []\n\
               for port in range(1, 65536):\n\
               \x20 s = socket.socket()\n\
               \x20 connected = s.connect_ex(('127.0.0.1', port)) == 0\n\
               \x20 if connected and s.getsockname() != s.getpeername():  # not to itself\n\
               \x20   open_ports.append(port)\n\
               \x20 s.close()\n\
               print(open_ports)";
    let far = "import socket\ns = socket.socket()\ns.settimeout(5)\n\
               s.connect(('169.254.169.254', 80))";
    let abstract_sockets = "print(open('/proc/net/unix').read().count('@'))";
    let families = "import socket\n\
                    for f, t, p in ((2, 3, 1), (17, 3, 768), (16, 3, 0), (40, 1, 0), (38, 5, 0)):\n\
                    \x20 try: socket.socket(f, t, p); print('OPEN', f)\n\
                    \x20 except OSError as e: pass";
    let cases = vec![
        run("python", &ours).fails(1).diagnosed("exception", "ConnectionRefusedError"),
        run("python", all).with("timeout", json!(60)).prints("[]\n"),
        run("python", far).fails(1).has("/stderr", "Network is unreachable"),
        run("python", abstract_sockets).prints("0\n"),
        run("python", families).prints(""),
        run("python", "import socket\nprint([name for _, name in socket.if_nameindex()])")
            .ends_one_of(["succeeded", "failed"])
            .lacks("/stdout", "eth"),
    ];
    run_all(crucible, 2, cases).await;
}

#[tokio::test]
async fn no_secret_and_no_variable_of_the_service_is_in_any_environment() {
    let crucible = Crucible::shared();
    let everything = "cat /proc/*/environ /proc/*/task/*/environ /proc/*/cmdline /proc/*/maps \
                      /proc/self/mountinfo /proc/self/cgroup 2>/dev/null | tr '\\0' '\\n'; \
                      env; set; true";
    let nosy_python = "import glob\nfor f in glob.glob('/proc/[0-9]*/environ'):\n\
                       \x20 try: print(open(f).read())\n  except OSError: pass\n\
                       import os\nprint(os.environ)";
    let mut cases = vec![
        run("bash", everything),
        run("python", nosy_python),
        run(
            "node",
            "console.log(process.env, require('fs').readFileSync('/proc/self/environ', 'utf8'))",
        ),
    ];
    for secret in ["secret_key", "internal_token"] {
        let secret = std::fs::read_to_string(crucible.data().join(secret)).expect("ours");
        cases = cases.into_iter().map(|case| case.lacks("/stdout", secret.trim())).collect();
    }
    let data = crucible.data().display().to_string();
    for word in ["E2E_SCRATCH", "INTERNAL_AUTH_TOKEN", "SECRET_KEY", "DATABASE_URL", &data] {
        cases = cases.into_iter().map(|case| case.lacks("/stdout", word)).collect();
    }
    run_all(crucible, 3, cases).await;
}

#[tokio::test]
async fn the_hosts_processes_cannot_be_seen_or_signalled() {
    // Pid 1 is the sandbox's init, 2 the program; what they start counts on from there.
    let count = "import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))";
    let ours = Crucible::shared().pid();
    let cases = vec![
        run("python", count).prints("[1, 2]\n"),
        run("bash", "echo /proc/[0-9]*").prints("/proc/1 /proc/2\n"),
        run("bash", &format!("kill -0 {ours} || echo no")).prints("no\n"),
        run("bash", "kill -9 1; for p in $(seq 3 3000); do kill -9 $p; done; echo still")
            .prints("still\n"),
        run(
            "bash",
            "for f in environ maps mem root cwd exe fd ns/user; do\n\
                     cat /proc/1/$f 2>/dev/null; ls /proc/1/$f/ 2>/dev/null; done; true",
        )
        .prints(""),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn only_the_workspace_can_be_written() {
    let walk = "import os\n\
                found = []\n\
                for top, directories, files in os.walk('/'):\n\
                \x20 if top.count('/') > 3: directories.clear()\n\
                \x20 if top == '/': directories.remove('proc')\n\
                \x20 found += [os.path.join(top, f) for f in files + ['.']\n\
                \x20           if not os.path.islink(os.path.join(top, f))\n\
                \x20          and os.access(os.path.join(top, f), os.W_OK)]\n\
                print(sorted(found))";
    let ours = "['/dev/full', '/dev/null', '/dev/random', '/dev/shm/.', '/dev/urandom', \
                '/dev/zero', '/home/user/.', '/run/crucible/.', '/tmp/.']\n";
    let places = "for d in / /usr /usr/bin /usr/local /etc /opt /opt/crucible /home /var /dev \
                  /run /mnt /proc /proc/sys/kernel /lib; do\n\
                  (echo x > $d/new) 2>/dev/null && echo \"WROTE $d\"; done; true";
    let kernel = "for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname \
                  /proc/sys/vm/drop_caches /proc/sysrq-trigger \
                  /proc/sys/net/ipv4/ip_forward /proc/1/oom_score_adj; do \
                  (echo 1 > $f) 2>/dev/null && echo \"WROTE $f\"; done; true";
    let cases = vec![
        run("python", walk).prints(ours),
        run("bash", places).prints(""),
        run("bash", kernel).prints(""),
        run("bash", "for d in ~ /tmp /dev/shm; do echo x > $d/new && cat $d/new; done")
            .prints("x\nx\nx\n"),
        run(
            "bash",
            "mount -t tmpfs x /mnt || mount -o remount,rw / || umount /proc || \
                     unshare -r true || echo no",
        )
        .prints("no\n"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn nothing_is_inherited_and_nothing_can_be_gained() {
    let descriptors = "#include <stdio.h>\n#include <fcntl.h>\n\
                       int main(void) { for (int f = 3; f < 4096; f++)\n\
                       if (fcntl(f, F_GETFD) >= 0) printf(\"%d \", f); }";
    let cases = vec![
        run("c", descriptors).prints(""),
        run("bash", "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\n\\t '")
            .prints(
                "CapInh:0000000000000000CapPrm:0000000000000000CapEff:0000000000000000\
             CapBnd:0000000000000000CapAmb:0000000000000000NoNewPrivs:1Seccomp:2",
            ),
        run("bash", "ulimit -Hc; ulimit -Hn 1000000 2>/dev/null || echo no").prints("0\nno\n"),
        run("bash", "cp /bin/bash b; chmod 6755 b; ./b -p -c 'id -u'").prints("1000\n"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn two_sandboxes_share_nothing() {
    let crucible = Crucible::shared();
    let (id, path) = session(crucible, "python").await;
    let leave = "import os, socket, threading\n\
                 for d in ('/home/user', '/tmp', '/dev/shm', '/run/crucible'):\n\
                 \x20 open(d + '/mark-of-another', 'w').write('x')\n\
                 s = socket.socket(); s.bind(('127.0.0.1', 7777)); s.listen()\n\
                 u = socket.socket(socket.AF_UNIX); u.bind('\\0mark'); u.listen()\n\
                 os.getuid()";
    let body = json!({"language": "python", "code": leave, "session_id": id});
    let left = crucible.run(body).await;
    assert_eq!(left["status"], "succeeded", "{left}");

    let look = "import os, socket\n\
                print([d for d in ('/home/user', '/tmp', '/dev/shm', '/run/crucible')\n\
                \x20      if 'mark-of-another' in os.listdir(d)])\n\
                print(socket.socket().connect_ex(('127.0.0.1', 7777)) != 0)\n\
                print(socket.socket(socket.AF_UNIX).connect_ex('\\0mark') != 0)\n\
                print(len([p for p in os.listdir('/proc') if p.isdigit()]))";
    let cases = vec![
        run("python", look).prints("[]\nTrue\nTrue\n2\n"),
        run("bash", "ls /dev/mqueue /dev/pts 2>/dev/null; ipcs -m 2>/dev/null | grep -c 0x; true")
            .ends("succeeded"),
    ];
    run_all(crucible, 2, cases).await;
    crucible.call(reqwest::Method::DELETE, &path, None).await;
}
