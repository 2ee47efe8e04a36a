//! Forms of `REDIS_URL`: what each becomes, and how it is shown.

use mizan_config::Redis;

use crate::{check, settings};

fn redis(url: &str) -> Redis {
    settings(&[("REDIS_URL", url)])
        .redis
        .unwrap_or_else(|| panic!("{url} was not read"))
}

fn urls(of: &[mizan_mask::Secret<String>]) -> Vec<&str> {
    of.iter().map(mizan_mask::Secret::<String>::reveal).collect()
}

#[test]
fn one_server_over_tcp_tls_or_a_socket() {
    for (given, expected, masked) in [
        ("redis://cache", "redis://cache:6379/0", "redis://cache:6379/0"),
        (
            "redis://:p%40w@cache:1/2",
            "redis://:p%40w@cache:1/2",
            "redis://:***@cache:1/2",
        ),
        (
            "rediss://u:pw@cache?db=3",
            "rediss://u:pw@cache:6379/3",
            "rediss://u:***@cache:6379/3",
        ),
        (
            "redis://u:p@w@[::1]/",
            "redis://u:p%40w@[::1]:6379/0",
            "redis://u:***@[::1]:6379/0",
        ),
        (
            "redis://:***@127.0.0.1:1/0",
            "redis://:%2A%2A%2A@127.0.0.1:1/0",
            "redis://:***@127.0.0.1:1/0",
        ),
        (
            "unix:///run/r.sock",
            "unix:///run/r.sock?db=0",
            "unix:///run/r.sock?db=0",
        ),
        (
            "redis+unix://u:pw@/run/r.sock?db=4",
            "unix:///run/r.sock?db=4&user=u&pass=pw",
            "unix:///run/r.sock?db=4&user=u&pass=***",
        ),
    ] {
        let Redis::Single { url, masked: shown } = redis(given) else {
            panic!("{given}")
        };
        assert_eq!((url.reveal(), shown.as_str()), (expected, masked), "{given}");
    }
}

#[test]
fn sentinels_name_their_master_and_keep_their_own_login() {
    for given in [
        "redis+sentinel://u:pw@s1,s2:1/mymaster/2?sentinel_password=own",
        "redis+sentinel://u:pw@s1,s2:1/2?master=mymaster&sentinel_password=own",
        "redis-sentinel://u:pw@s1,s2:1/2?sentinel_password=own#mymaster",
    ] {
        let Redis::Sentinel {
            sentinels,
            master,
            login,
            database,
            tls,
            masked,
        } = redis(given)
        else {
            panic!("{given}")
        };
        assert_eq!(
            urls(&sentinels),
            ["redis://:own@s1:26379/", "redis://:own@s2:1/"],
            "{given}"
        );
        assert_eq!(
            (master.as_str(), database, tls),
            ("mymaster", 2, false),
            "{given}"
        );
        assert_eq!(login.user.as_deref(), Some("u"));
        assert_eq!(
            login.password.as_ref().map(mizan_mask::Secret::<String>::reveal),
            Some("pw")
        );
        assert_eq!(masked, "redis+sentinel://u:***@s1:26379,s2:1/mymaster/2");
    }
    assert!(matches!(
        redis("rediss+sentinel://s1/m"),
        Redis::Sentinel { tls: true, .. }
    ));
}

#[test]
fn several_hosts_are_a_cluster() {
    for given in ["redis+cluster://u:pw@n1:1,n2", "redis://u:pw@n1:1,n2/0"] {
        let Redis::Cluster { nodes, masked } = redis(given) else {
            panic!("{given}")
        };
        assert_eq!(
            urls(&nodes),
            ["redis://u:pw@n1:1/", "redis://u:pw@n2:6379/"],
            "{given}"
        );
        assert_eq!(masked, "redis+cluster://u:***@n1:1,n2:6379", "{given}");
    }
}

#[test]
fn an_unreadable_url_is_an_error_in_every_mode() {
    for (url, sentence) in [
        ("cache:6379", "is not a URL"),
        ("http://cache", "is not a Redis URL"),
        ("redis://", "names no host"),
        ("redis://cache/first", "has a database that is not a number"),
        (
            "redis://cache:0",
            "has a port that is not a number from 1 to 65535",
        ),
        ("unix://", "names no socket"),
        (
            "redis+sentinel://s1",
            "names no sentinel master (redis+sentinel://host:26379/master)",
        ),
        (
            "redis+cluster://n1,n2/3",
            "names a database, but a cluster has only database 0",
        ),
    ] {
        check(
            &[("REDIS_URL", url)],
            &[&format!("config error: REDIS_URL {sentence}")],
        );
    }
}
