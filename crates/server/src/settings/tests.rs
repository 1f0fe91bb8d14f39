//! What settings take, who wins, and what they refuse.

use super::*;

fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(SETTINGS_FILE), file).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags: Vec<(&str, String)> = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Settings::load(folder.path(), environment, &flags).map_err(|error| {
        let place = format!("{}/", folder.path().display());
        error.to_string().replace(&place, "")
    })
}

fn refusal(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    load(file, environment, flags).unwrap_err()
}

fn held<'a>(settings: &'a Settings, name: &str) -> &'a Held {
    settings.explain().iter().find(|held| held.name == name).unwrap()
}

#[test]
fn without_anything_the_defaults_hold() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::load(folder.path(), [], &[]).unwrap();
    assert_eq!(settings.runtime.bind, [Bind::Loopback(8080)]);
    assert_eq!(settings.core.bind, [Bind::Loopback(3567)]);
    assert_eq!(settings.studio.bind, [Bind::Loopback(1880)]);
    assert_eq!(settings.health.bind, []);
    assert_eq!(settings.flows.http_reply_timeout, Duration::from_secs(30));
    assert!(!settings.flows.compat_jwt_any_hmac && !settings.expose_errors);
    assert_eq!(settings.flows.script_heap_bytes, 64 * 1024 * 1024);
    assert_eq!(settings.log.level, Level::Info);
    assert_eq!(settings.log.form, None);
    assert_eq!(settings.store.master_key, MasterKeyPlace::File("master.key".into()));
    assert!(settings.explain().iter().all(|held| held.source == Source::Default));
    assert_eq!(settings.explain().len(), ROWS.len());
}

#[test]
fn flags_beat_the_environment_and_that_beats_the_file() {
    let file = "expose_errors = true\n[runtime]\nbind = ['127.0.0.1:1', 'unix:/run/c.sock']\n\
                [flows.http]\nreply_timeout = 20\n";
    let variable = [("CHANCERY_FLOWS__HTTP__REPLY_TIMEOUT", "1500ms"), ("PATH", "/bin")];
    let settings = load(file, &[], &[]).unwrap();
    let places = ["127.0.0.1:1".parse().unwrap(), "unix:/run/c.sock".parse().unwrap()];
    assert_eq!(settings.runtime.bind, places);
    assert!(settings.expose_errors);
    assert_eq!(settings.flows.http_reply_timeout, Duration::from_secs(20));
    assert!(matches!(held(&settings, "runtime.bind").source, Source::File { line: 3, .. }));

    let settings = load(file, &variable, &[]).unwrap();
    assert_eq!(settings.flows.http_reply_timeout, Duration::from_millis(1_500));
    let settings = load(file, &variable, &[("flows.http.reply_timeout", "2m"), ("runtime.bind", "9000")]).unwrap();
    assert_eq!(settings.flows.http_reply_timeout, Duration::from_secs(120));
    assert_eq!(settings.runtime.bind, [Bind::Loopback(9000)]);
    let told = held(&settings, "runtime.bind");
    assert_eq!((told.value.as_str(), told.source.to_string()), ("9000", "flag, --runtime".to_owned()));
}

#[test]
fn an_unknown_name_is_refused_with_its_place_and_a_guess() {
    assert_eq!(
        refusal("[flows.http]\n\nreply_timeot = 3\n", &[], &[]),
        "chancery.toml, line 3: there is no setting `flows.http.reply_timeot`; did you mean `flows.http.reply_timeout`?"
    );
    assert_eq!(refusal("x.y = 3\n", &[], &[]), "chancery.toml, line 1: there is no setting `x.y`");
    assert_eq!(
        refusal("", &[("CHANCERY_RUNTIME_BIND", "1")], &[]),
        "environment, CHANCERY_RUNTIME_BIND: there is no setting `CHANCERY_RUNTIME_BIND`; did you mean `CHANCERY_RUNTIME__BIND`?"
    );
    assert!(load("", &[("CHANCERY_DATA", "/tmp")], &[]).is_ok());
}

#[test]
fn the_variable_of_the_master_key_is_no_stranger() {
    let variable = [("CHANCERY_MASTER_KEY", "00")];
    assert!(load("", &variable, &[]).is_err());
    let settings = load("store.master_key = 'env:CHANCERY_MASTER_KEY'", &variable, &[]).unwrap();
    assert_eq!(settings.store.master_key, MasterKeyPlace::Environment("CHANCERY_MASTER_KEY".into()));
}

#[test]
fn the_password_of_the_store_is_nowhere_to_be_seen() {
    let url = "postgres://me:s3cret@db.example/rings";
    for settings in [load(&format!("store.url = '{url}'"), &[], &[]), load("", &[("CHANCERY_STORE__URL", url)], &[])] {
        let settings = settings.unwrap();
        assert!(settings.store.url.as_ref().unwrap().has_password());
        assert_eq!(held(&settings, "store.url").value, "postgres://me@db.example/rings");
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
    let told = refusal("", &[], &[("store.url", url)]);
    assert!(told.starts_with("flag, --store: `store.url` takes no password in an argument"), "{told}");
    assert!(!told.contains("s3cret"));
    assert!(load("", &[], &[("store.url", "postgres://me@db.example/rings")]).is_ok());
    assert!(!refusal("store.url = 'mysql://me:s3cret@db/d'", &[], &[]).contains("s3cret"));
    let variable = [("CHANCERY_DB_PASSWORD", "s3cret")];
    let settings = load("store.password = 'env:CHANCERY_DB_PASSWORD'", &variable, &[]).unwrap();
    assert_eq!(settings.store.password, Some(PasswordPlace::Environment("CHANCERY_DB_PASSWORD".into())));
    assert!(refusal("store.password = 's3cret'", &[], &[]).contains("takes file:PATH or env:NAME"));
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_it_takes() {
    for (file, told) in [
        ("expose_errors = 'yes'", "chancery.toml, line 1: `expose_errors` takes true or false"),
        ("expose_errors = 1.5", "`expose_errors` takes a text, a whole number, true or false"),
        ("flows.http.reply_timeout = '121s'", "takes a duration such as 500ms, 30s or 1m, at most 120s"),
        ("flows.http.reply_timeout = '0s'", "takes a duration"),
        ("flows.http.reply_timeout = ['1s', '2s']", "takes one value"),
        ("flows.script.heap_bytes = 10", "takes a whole number from 1048576 to 1073741824"),
        ("runtime.bind = 'example.com:80'", "takes off, or a port (8080: both loopback addresses)"),
        ("runtime.bind = ['off', '80']", "takes off, or a port"),
        ("store.master_key = 'file:'", "takes file:PATH, env:NAME, "),
        ("log.level = 'loud'", "takes one of error, warn, info, debug"),
        ("log.form = 'xml'", "takes json, text or auto"),
        ("core.base_path = 'a//b'", "takes a path of letters, digits, - . _ and ~ between slashes"),
        ("core.apps = ['A']", "takes names of lower-case letters, digits and hyphens other than public"),
        ("core.apps = ['public']", "takes names of lower-case letters"),
        ("core.algorithms = 'RS512'", "takes [APP/]NAME with one of RS256, ES256, EdDSA"),
        ("core.rotation_period = '59m'", "takes [APP/]TIME such as 168h, from 1h to ten years"),
        ("core.jwks_max_age = '500ms'", "takes a duration of at least 1s"),
        ("core.cdi_max = '5.x'", "takes a version such as 5.4"),
        ("core.cdi_max = '2.6'", "takes a version from 2.7 to 5.6"),
        ("core.algorithms = 'a1/ES256'", "takes entries of apps that `core.apps` names, and `a1` is none of them"),
        ("studio.trusted_proxies = 'proxy.local'", "takes addresses such as 10.0.0.7"),
        ("a = ", "chancery.toml, line 1: this is not TOML: "),
    ] {
        let said = refusal(file, &[], &[]);
        assert!(said.contains(told), "{file}: {said}");
    }
}

#[test]
fn secrets_are_not_explained() {
    let key = "canary-canary-canary-canary";
    let settings = load("", &[("CHANCERY_CORE__API_KEYS", key)], &[]).unwrap();
    assert_eq!(ApiKey::find(&settings.core.api_keys, key), Some(0));
    assert_eq!(held(&settings, "core.api_keys").value, "set");
    assert!(!format!("{settings:?}").contains("canary"));
    let said = refusal(&format!("core.api_keys = ['{key}_']"), &[], &[]);
    assert!(!said.contains("canary"), "{said}");
}

/// ST-52: a key that is too short or has other characters stops the start, in upstream's words.
#[test]
fn api_keys_have_a_form() {
    for short in ["tiny", "abcdefghijklmnopqrs", "ops:abc", "a/ops:"] {
        let said = refusal("", &[("API_KEYS", short)], &[]);
        assert!(said.starts_with("environment, API_KEYS: `core.api_keys` takes "), "{said}");
        assert!(said.ends_with("One of the API keys is too short. Please use at least 20 characters"), "{said}");
        assert!(!said.contains(short), "{said}");
    }
    for wrong in ["with_underscore_and_more", "abcdefghijklmnopqrst ü", "abcdefghijklmnopqrst+", "a_"] {
        let said = refusal(&format!("core.api_keys = ['{wrong}']"), &[], &[]);
        assert!(
            said.ends_with(
                "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)"
            ),
            "{said}"
        );
    }
    let keys = "abcdefghijklmnopqrst, ,ops:ABCDEFGHIJKLMNOPQR=-, a1/tuvwxyzabcdefghijklmn,a1/x.y:01234567890123456789";
    let settings = load("core.apps = 'a1'", &[("API_KEYS", keys)], &[]).unwrap();
    let named: Vec<_> = settings.core.api_keys.iter().map(|key| (key.app.as_str(), key.name.as_str())).collect();
    assert_eq!(named, [("public", "key-1"), ("public", "ops"), ("a1", "key-3"), ("a1", "x.y")]);
    assert!(refusal("core.api_keys = 'b c:abcdefghijklmnopqrst'", &[], &[]).contains("each NAME of letters"));
}

#[test]
fn a_key_is_found_among_several_by_all_of_it() {
    let keys =
        load("core.api_keys = ['aaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbb', 'x:bbbbbbbbbbbbbbbbbbbb']", &[], &[]);
    let keys = keys.unwrap().core.api_keys;
    assert_eq!(ApiKey::find(&keys, "aaaaaaaaaaaaaaaaaaaa"), Some(0));
    assert_eq!(ApiKey::find(&keys, "bbbbbbbbbbbbbbbbbbbb"), Some(2));
    for wrong in ["", "aaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(ApiKey::find(&keys, wrong), None, "{wrong:?}");
    }
    assert_eq!(ApiKey::find(&[], ""), None);
}

#[test]
fn upstreams_own_names_count_unless_ours_say_otherwise() {
    let upstream = [
        ("API_KEYS", "abcdefghijklmnopqrst"),
        ("SUPERTOKENS_HOST", "0.0.0.0"),
        ("SUPERTOKENS_PORT", "4000"),
        ("BASE_PATH", "/Auth/core/"),
        ("ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL", "24"),
    ];
    let settings = load("core.bind = '1'", &upstream, &[]).unwrap();
    assert_eq!(settings.core.bind, [Bind::Tcp(([0, 0, 0, 0], 4_000).into())]);
    assert_eq!(settings.core.base_path, "/auth/core");
    assert_eq!(settings.core.rotation_period_of("public"), Duration::from_secs(86_400));
    assert_eq!(held(&settings, "core.bind").source, Source::Environment("SUPERTOKENS_HOST".to_owned()));
    let ours = [&upstream[..], &[("CHANCERY_CORE__BIND", "5000")]].concat();
    assert_eq!(load("", &ours, &[]).unwrap().core.bind, [Bind::Loopback(5_000)]);
    let port = [("SUPERTOKENS_PORT", "4000")];
    assert_eq!(load("", &port, &[]).unwrap().core.bind, [Bind::Loopback(4_000)]);
    let six = [("SUPERTOKENS_HOST", "::1"), ("API_KEYS", "")];
    assert_eq!(load("", &six, &[]).unwrap().core.bind, ["[::1]:3567".parse().unwrap()]);
}

#[test]
fn apps_have_settings_of_their_own() {
    let file = "[core]\napps = ['a1']\nalgorithms = ['a1/ES256', 'a1/RS256']\nrotation_period = ['100h', 'a1/2h']\n";
    let core = load(file, &[], &[]).unwrap().core;
    let names = |app| core.algorithms_of(app).iter().map(|row| row.name).collect::<Vec<_>>();
    assert_eq!((names("public"), names("a1")), (vec!["RS256"], vec!["RS256", "ES256"]));
    assert_eq!(core.rotation_period_of("a1"), Duration::from_secs(7_200));
    assert_eq!(core.rotation_period_of("public"), Duration::from_secs(360_000));
    // An app without a key of its own is open, whatever others have.
    let open = "[core]\nbind = '0.0.0.0:1'\napps = ['a1']\napi_keys = ['abcdefghijklmnopqrst']\n";
    assert!(refusal(open, &[], &[]).contains("which others can reach"));
}

/// SE-02: Studio off loopback without a trusted proxy, core off loopback without API keys: the start is refused.
#[test]
fn what_others_can_reach_must_be_protected() {
    for address in ["0.0.0.0:1880", "[::]:1880", "192.0.2.2:1880", "[::ffff:10.0.0.1]:1880"] {
        let said = refusal("", &[], &[("studio.bind", address)]);
        assert!(said.starts_with("flag, --studio: `studio.bind` is "), "{said}");
        assert!(said.contains("which others can reach") && said.contains("studio.trusted_proxies"), "{said}");
        let said = refusal(&format!("core.bind = ['localhost:1', '{address}']"), &[], &[]);
        assert!(said.starts_with("chancery.toml, line 1: `core.bind` is "), "{said}");
        assert!(said.contains("core.api_keys"), "{said}");

        let proxied = format!("studio = {{ bind = '{address}', trusted_proxies = ['10.0.0.7'] }}");
        assert!(load(&proxied, &[], &[]).is_ok());
        let keyed = format!("core = {{ bind = '{address}', api_keys = 'abcdefghijklmnopqrst' }}");
        assert!(load(&keyed, &[], &[]).is_ok());
    }
    for local in ["127.0.0.1:1880", "127.8.0.1:1880", "[::1]:1880", "1880", "localhost:1880", "unix:/tmp/s", "off"] {
        assert!(load("", &[], &[("studio.bind", local), ("core.bind", local)]).is_ok(), "{local}");
    }
    // Flows and health words are for others to reach.
    assert!(load("", &[], &[("runtime.bind", "0.0.0.0:8080"), ("health.bind", "0.0.0.0:9")]).is_ok());
}
