//! What befalls a data folder, from outside: real processes, real files.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use house::server::Server;
use house::{Ran, chancery, chancery_in};
use serde_json::Value as Json;

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn on(folder: &Path, arguments: &[&str]) -> Ran {
    chancery(&[&["--data", data(folder).to_str().unwrap()], arguments].concat())
}

/// A folder with a new store.
fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ran = on(folder.path(), &["init"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    folder
}

fn database(folder: &Path) -> Vec<u8> {
    std::fs::read(data(folder).join("chancery.db")).unwrap()
}

fn keys(server: &Server) -> Json {
    let shown = server.get("/.well-known/jwks.json");
    assert_eq!(shown.status, 200, "{}", shown.body);
    serde_json::from_str(&shown.body).unwrap()
}

/// KR-24: `init` over rows, and `serve` on rows whose master key is gone, are refused, and the store is octet for octet what
/// it was.
#[test]
fn rows_without_a_master_key_are_no_fresh_start() {
    let folder = made();
    let before = database(folder.path());
    let again = on(folder.path(), &["init"]);
    assert_eq!(again.code, 78, "{}", again.stderr);
    std::fs::remove_file(data(folder.path()).join("master.key")).unwrap();
    for arguments in [&[][..], &["--init"]] {
        let (status, said) = Server::refused(folder.path(), arguments);
        assert_eq!(status.code(), Some(78), "{said}");
        assert!(said.contains("master.key"), "{said}");
    }
    assert_eq!(on(folder.path(), &["init"]).code, 78);
    assert!(!data(folder.path()).join("master.key").exists(), "no key is drawn over rows");
    assert!(database(folder.path()) == before);
}

/// KR-49: a torn page: the start is refused with the command that restores, and no ring is made anew. A journal that was cut
/// off is refused as a rollback (`server/src/rings/disk_tests.rs`).
#[test]
fn a_torn_file_is_refused_with_the_way_back() {
    let folder = made();
    let mut octets = database(folder.path());
    octets[4_096..12_288].fill(0x5a);
    std::fs::write(data(folder.path()).join("chancery.db"), &octets).unwrap();
    let (status, said) = Server::refused(folder.path(), &[]);
    assert_eq!(status.code(), Some(69), "{said}");
    assert!(said.contains("damaged") && said.contains("chancery restore"), "{said}");
    assert!(database(folder.path()) == octets, "nothing is written");
}

/// KR-66: the restore of an old backup is refused; accepted, and with `republish`, every token verifies.
#[test]
fn an_old_backup_loses_no_token() {
    let folder = made();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(on(folder.path(), &["backup", &path("old.db")]).code, 0);
    assert_eq!(on(folder.path(), &["keys", "create", "later", "--alg", "ES256"]).code, 0);
    let mint = |ring: &str| {
        let minted = on(folder.path(), &["mint", "--key", &format!("ring:{ring}"), "--sub", "a", "--ttl", "10m"]);
        assert_eq!(minted.code, 0, "{}", minted.stderr);
        minted.stdout.trim().to_owned()
    };
    let tokens = [mint("es256"), mint("later")];
    std::fs::rename(data(folder.path()).join("chancery.db"), path("newer.db")).unwrap();
    let refused = on(folder.path(), &["restore", &path("old.db")]);
    assert_eq!(refused.code, 78, "{}", refused.stderr);
    assert!(refused.stderr.contains("rolled back"), "{}", refused.stderr);
    assert!(!data(folder.path()).join("chancery.db").exists(), "it is not left there");
    assert_eq!(on(folder.path(), &["restore", "--accept-rollback", &path("old.db")]).code, 0);
    let server = Server::start(folder.path(), &[]);
    let verify = |token: &str| {
        let set = path("set.json");
        std::fs::write(&set, server.get("/.well-known/jwks.json").body).unwrap();
        chancery(&["verify", token, "--jwks", &set, "--alg", "ES256"]).code
    };
    assert_eq!((verify(&tokens[0]), verify(&tokens[1])), (0, 1), "the key of the second was made after the backup");
    let again = on(folder.path(), &["keys", "republish", "--until", "+1h"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!((verify(&tokens[0]), verify(&tokens[1])), (0, 0), "{}", again.stderr);
}

/// A file put in the place of the store by hand is refused at the start, and served when it is accepted.
#[test]
fn a_start_on_an_older_store_is_refused() {
    let folder = made();
    let old = database(folder.path());
    assert_eq!(on(folder.path(), &["keys", "create", "later", "--alg", "ES256"]).code, 0);
    std::fs::write(data(folder.path()).join("chancery.db"), &old).unwrap();
    let (status, said) = Server::refused(folder.path(), &[]);
    assert_eq!(status.code(), Some(78), "{said}");
    assert!(said.contains("--accept-rollback"), "{said}");
    assert!(database(folder.path()) == old, "nothing is written");
    assert_eq!(keys(&Server::start(folder.path(), &["--accept-rollback"]))["keys"].as_array().unwrap().len(), 8);
}

/// KR-04: settings that disagree with the timing in the store end the start, and nothing is written.
#[test]
fn settings_that_disagree_with_the_store_are_refused() {
    let folder = made();
    let before = database(folder.path());
    let settings = data(folder.path()).join("chancery.toml");
    std::fs::write(&settings, "core.rotation_period = ['24h']\n").unwrap();
    let (status, said) = Server::refused(folder.path(), &[]);
    assert_eq!(status.code(), Some(78), "{said}");
    assert!(said.contains("core.rotation_period") && said.contains("604800"), "{said}");
    assert!(database(folder.path()) == before);
    std::fs::write(&settings, "core.rotation_period = ['168h']\n").unwrap();
    Server::start(folder.path(), &[]);
}

/// KR-52: the source of the master key is away at the start: it is tried again, nobody is served, and once it is there
/// everything is. Away while the server runs, it changes nothing.
#[test]
fn a_master_key_that_comes_late_is_waited_for() {
    let folder = made();
    let (key, away) = (data(folder.path()).join("master.key"), folder.path().join("away"));
    std::fs::rename(&key, &away).unwrap();
    let mut server = Server::spawn(folder.path(), &["--master-key-wait", "30s"]);
    let started = Instant::now();
    while !server.log().contains("master key") {
        assert!(started.elapsed() < Duration::from_secs(20), "{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(TcpStream::connect(&server.address).is_err(), "not ready");
    std::fs::rename(&away, &key).unwrap();
    server.wait_until_it_answers();
    std::fs::rename(&key, &away).unwrap();
    assert_eq!(keys(&server)["keys"].as_array().unwrap().len(), 8);
    assert_eq!(on(folder.path(), &["keys", "create", "later", "--alg", "ES256"]).code, 0, "{}", server.log());
    assert!(server.terminate().success());
}

/// KR-38: the store is away at the start: refused; from its snapshot it is served read-only.
#[test]
fn a_store_that_is_away_is_served_from_its_snapshot() {
    let folder = made();
    let (before, minted) = {
        let mut server = Server::start(folder.path(), &[]);
        let (started, snapshot) = (Instant::now(), data(folder.path()).join("snapshot.db"));
        while !snapshot.exists() {
            assert!(started.elapsed() < Duration::from_secs(20), "{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let before = keys(&server);
        assert!(server.terminate().success());
        let minted = on(folder.path(), &["mint", "--key", "ring:es256", "--sub", "a", "--ttl", "10m"]);
        (before, minted.stdout.trim().to_owned())
    };
    std::fs::rename(data(folder.path()).join("chancery.db"), folder.path().join("away.db")).unwrap();
    let (status, said) = Server::refused(folder.path(), &[]);
    assert!(!status.success(), "{said}");
    let server = Server::start(folder.path(), &["--start-from-snapshot"]);
    assert_eq!(keys(&server), before);
    let refused = on(folder.path(), &["keys", "create", "later", "--alg", "ES256"]);
    assert_eq!(refused.code, 69, "{}", refused.stderr);
    let set = folder.path().join("set.json");
    std::fs::write(&set, before.to_string()).unwrap();
    assert_eq!(chancery(&["verify", &minted, "--jwks", set.to_str().unwrap(), "--alg", "ES256"]).code, 0);
    assert!(!data(folder.path()).join("chancery.db").exists(), "nothing is made in its place");
}

/// KR-64: SIGTERM under load: not ready at once, every request that was taken is answered whole, and it ends in time. A
/// second one ends it at once.
#[test]
fn a_server_that_is_told_to_end_cuts_no_reply() {
    let folder = tempfile::tempdir().unwrap();
    let slow = r#"[{"id":"i","type":"http in","z":"t","url":"/slow","method":"get","wires":[["d"]]},
        {"id":"d","type":"delay","z":"t","pauseType":"delay","timeout":"SECS","timeoutUnits":"seconds","wires":[["o"]]},
        {"id":"o","type":"http response","z":"t","wires":[]}]"#;
    let flow = folder.path().join("slow.json");
    for (secs, signals) in [("2", 1), ("20", 2)] {
        std::fs::write(&flow, slow.replace("SECS", secs)).unwrap();
        let mut server = Server::start(folder.path(), &["--ephemeral", flow.to_str().unwrap()]);
        let address = server.address.clone();
        let ask = move || {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut text = String::new();
            // A process that ends at once cuts its connections.
            let _ = stream.read_to_string(&mut text);
            text
        };
        let asked: Vec<_> = (0..16).map(|_| std::thread::spawn(ask.clone())).collect();
        std::thread::sleep(Duration::from_secs(1));
        let told = Instant::now();
        for _ in 0..signals {
            server.signal(rustix::process::Signal::TERM);
            std::thread::sleep(Duration::from_millis(200));
        }
        if signals == 1 {
            let late = TcpStream::connect(&server.address).map(|mut stream| {
                let _ = stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let mut text = String::new();
                let _ = stream.read_to_string(&mut text);
                text
            });
            assert!(!late.is_ok_and(|text| text.contains("200 OK")), "not ready at once");
        }
        let status = server.wait();
        let replies: Vec<_> = asked.into_iter().map(|thread| thread.join().unwrap()).collect();
        if signals == 1 {
            assert!(status.success(), "{}", server.log());
            assert!(told.elapsed() < Duration::from_secs(25));
            assert!(replies.iter().all(|reply| reply.starts_with("HTTP/1.1 200 OK")), "{replies:?}");
        } else {
            assert_eq!(status.code(), Some(130));
            assert!(told.elapsed() < Duration::from_secs(5), "at once");
        }
    }
}

/// KR-21: the octets of no private half occur in any file of the data folder, its journal, a backup, a log or a metric.
#[test]
fn no_private_half_is_written_anywhere() {
    let folder = made();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let health = format!("unix:{}", path("health.sock"));
    let server = Server::start(folder.path(), &["--health", &health]);
    for (ring, alg) in [("hmac", "HS256"), ("p521", "ES512")] {
        assert_eq!(on(folder.path(), &["keys", "create", ring, "--alg", alg]).code, 0);
    }
    let mut halves = Vec::new();
    for ring in ["es256", "rs256", "eddsa", "hmac", "p521", "s-rs256", "d-rs256"] {
        let out = path(&format!("{ring}.jwk"));
        assert_eq!(on(folder.path(), &["keys", "export", ring, "1", "--out", &out]).code, 0);
        let key: Json = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
        std::fs::remove_file(&out).unwrap();
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"].iter().filter_map(|member| key[member].as_str());
        halves.extend(private.map(str::to_owned));
    }
    assert_eq!(halves.len(), 4 + 3 * 6, "one of four kinds, six of each RSA key");
    on(folder.path(), &["keys", "rotate", "es256"]);
    on(folder.path(), &["keys", "revoke", "eddsa", "1"]);
    on(folder.path(), &["kek", "renew"]);
    assert_eq!(on(folder.path(), &["backup", &path("data/backup.db")]).code, 0);
    let mut metrics = String::new();
    let mut stream = std::os::unix::net::UnixStream::connect(path("health.sock")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_to_string(&mut metrics).unwrap();
    assert!(metrics.contains("chancery_invariant_violations_total{id=\"I15\"} 0"), "{metrics}");
    let mut places = vec![metrics.into_bytes(), server.log().into_bytes()];
    for file in std::fs::read_dir(data(folder.path())).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() && file.file_name() != "master.key" {
            places.push(std::fs::read(file.path()).unwrap());
        }
    }
    assert!(places.len() >= 7, "the database, its journal, the backup and what lies beside");
    let found = |wanted: &[u8]| places.iter().any(|place| memchr::memmem::find(place, wanted).is_some());
    assert!(found(b"public/eddsa"), "the search finds what is there");
    for half in &halves {
        let octets = jose::base64url::decode(half).unwrap();
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        for form in [octets.as_slice(), half.as_bytes(), hex.as_bytes()] {
            assert!(!found(&form[..form.len().min(16)]), "a private half is written somewhere");
        }
    }
}

/// KR-25: every form that a key comes in gives the same generation; each bad input has its own error, and makes none.
#[test]
fn every_form_of_a_key_is_the_same_generation() {
    let folder = made();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = path("k.jwk");
    assert_eq!(on(folder.path(), &["keys", "generate", "--alg", "ES256", "--out", &key]).code, 0);
    let convert = |name: &str, more: &[&str]| {
        let out = path(name);
        let ran = chancery_in(
            &[("PASS", "correct horse battery")],
            &[&["keys", "convert", &key, "--out", &out][..], more].concat(),
            "",
        );
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        out
    };
    let forms = [
        (key.clone(), false),
        (convert("set.json", &["--format", "jwks"]), false),
        (convert("pkcs8.pem", &["--format", "pem"]), false),
        (convert("pkcs8.der", &["--format", "der"]), false),
        (convert("sec1.pem", &["--format", "pem", "--form", "sec1"]), false),
        (convert("sec1.der", &["--format", "der", "--form", "sec1"]), false),
        (convert("closed.pem", &["--format", "pem", "--new-passphrase", "env:PASS"]), true),
        (convert("closed.der", &["--format", "der", "--new-passphrase", "env:PASS"]), true),
    ];
    let import = |ring: &str, file: &str, is_closed: bool, passphrase: &str| {
        let data = data(folder.path());
        let mut arguments = vec!["--data", data.to_str().unwrap(), "--json", "keys", "import", ring, file];
        if is_closed {
            arguments.extend(["--passphrase", "env:PASS"]);
        }
        chancery_in(&[("PASS", passphrase)], &arguments, "")
    };
    let mut kids = Vec::new();
    for (n, (file, is_closed)) in forms.iter().enumerate() {
        let ring = format!("t{n}/r");
        assert_eq!(on(folder.path(), &["keys", "create", &ring, "--alg", "ES256", "--static"]).code, 0);
        let made = import(&ring, file, *is_closed, "correct horse battery");
        assert_eq!(made.code, 0, "{file}: {}", made.stderr);
        let made: Json = serde_json::from_str(&made.stdout).unwrap();
        kids.push((made["made"][0]["n"].clone(), made["made"][0]["kid"].clone()));
    }
    let thumbprint = chancery(&["keys", "thumbprint", &key]).stdout.trim().to_owned();
    assert!(kids.iter().all(|(n, kid)| n == 2 && kid == thumbprint.as_str()), "{kids:?} {thumbprint}");
    let count = |ring: &str| {
        let shown = on(folder.path(), &["--json", "keys", "show", ring]).stdout;
        serde_json::from_str::<Json>(&shown).unwrap()["generations"].as_array().unwrap().len()
    };
    let bad = |name: &str, octets: &[u8]| {
        std::fs::write(path(name), octets).unwrap();
        path(name)
    };
    let wrong_pass = import("es256", &forms[6].0, true, "wrong horse battery");
    let public = path("public.jwk");
    assert_eq!(chancery(&["keys", "public", &key, "--out", &public]).code, 0);
    let refusals = [
        wrong_pass.stderr,
        import("es256", &forms[6].0, false, "").stderr,
        import("rs256", &key, false, "").stderr,
        import("es256", &public, false, "").stderr,
        import("es256", &bad("torn.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA"), false, "").stderr,
        import("es256", &bad("large", &vec![b' '; 65_537]), false, "").stderr,
        import("es256", &path("missing"), false, "").stderr,
    ];
    let distinct: std::collections::BTreeSet<_> = refusals.iter().collect();
    assert!(refusals.iter().all(|refusal| !refusal.is_empty()) && distinct.len() == refusals.len(), "{refusals:#?}");
    assert_eq!((count("es256"), count("rs256")), (2, 2), "none of them made a key");
}

/// KR-63 (part): a server whose audit sink is away and that fails closed refuses what is asked of it and signs on; with its sink
/// it does what is asked, and the sink has the row.
#[test]
fn a_server_without_its_audit_sink_changes_nothing() {
    let folder = made();
    let sink = folder.path().join("collected");
    std::fs::create_dir(&sink).unwrap();
    let settings = format!("[audit]\nsink = 'file:{}'\nsink_policy = 'fail_closed'\n", sink.join("rows").display());
    std::fs::write(data(folder.path()).join("chancery.toml"), settings).unwrap();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(on(folder.path(), &["keys", "create", "first", "--alg", "ES256"]).code, 0);
    std::fs::remove_dir_all(&sink).unwrap();
    let refused = on(folder.path(), &["keys", "create", "second", "--alg", "ES256"]);
    assert!(refused.code != 0 && refused.stderr.contains("audit sink is away"), "{}", refused.stderr);
    assert_eq!(on(folder.path(), &["mint", "--key", "ring:first", "--sub", "a", "--ttl", "1h"]).code, 0);
    std::fs::create_dir(&sink).unwrap();
    assert_eq!(on(folder.path(), &["keys", "create", "second", "--alg", "ES256"]).code, 0);
    drop(server);
    let rows = std::fs::read_to_string(sink.join("rows")).unwrap();
    let made = |row: &str| row.contains("\"ring_make\"") && row.contains("public/second");
    assert!(rows.lines().any(made), "{rows}");
}

/// SE-54 (part): a master key that came in a variable stands neither in the environment nor in the arguments of the server,
/// nor in its log; and the server has it.
#[test]
fn a_master_key_from_the_environment_is_unset() {
    let folder = tempfile::tempdir().unwrap();
    let digits = "9f2c1e7a".repeat(8);
    let env = [("CHANCERY_STORE__MASTER_KEY", "env:MASTER"), ("MASTER", digits.as_str()), ("BESIDE", "stays")];
    let data = data(folder.path());
    assert_eq!(chancery_in(&env, &["--data", data.to_str().unwrap(), "init"], "").code, 0);
    let mut server = Server::spawn_in(&env, folder.path(), &[]);
    server.wait_until_it_answers();
    assert_eq!(keys(&server)["keys"].as_array().unwrap().len(), 8);
    assert_eq!(on(folder.path(), &["keys", "create", "later", "--alg", "ES256"]).code, 0, "{}", server.log());
    assert!(server.log().contains("the master key is in the variable MASTER"), "{}", server.log());
    let of_process = |name: &str| std::fs::read(format!("/proc/{}/{name}", server.pid())).unwrap_or_default();
    let environment = of_process("environ");
    // Nobody but root reads the environment of a process that keeps itself from others.
    if rustix::process::geteuid().is_root() {
        assert!(memchr::memmem::find(&environment, b"BESIDE=stays").is_some(), "the search finds what is there");
    }
    for place in [environment, of_process("cmdline"), server.log().into_bytes()] {
        assert!(memchr::memmem::find(&place, digits.as_bytes()).is_none());
    }
}
