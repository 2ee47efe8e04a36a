//! No value of the environment is ever repeated in a problem or a warning.

use mizan_config::{Settings, settings_reference};
use proptest::prelude::*;

/// Words that cannot be part of any sentence or name of ours.
fn marked() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,6}".prop_map(|it| format!("ZQ{it}QZ"))
}

/// Values that are readable, half readable and not readable at all, all of them marked.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        marked(),
        (marked(), marked(), marked()).prop_map(|(a, b, c)| format!("postgresql://{a}:{b}@{c}:x/y")),
        (marked(), marked(), marked()).prop_map(|(a, b, c)| format!("postgresql+asyncpg://h/{a}?{b}={c}")),
        (marked(), marked()).prop_map(|(a, b)| format!("postgresql://h/d?sslmode={a}&connect_timeout={b}")),
        (marked(), marked()).prop_map(|(a, b)| format!("redis://:{a}@h/{b}")),
        (marked(), marked()).prop_map(|(a, b)| format!("redis+sentinel://{a},{b}")),
        marked().prop_map(|a| format!("sqlite://{a}/")),
        marked().prop_map(|a| format!("[\"{a}\"]")),
        (marked(), "\\PC{0,12}").prop_map(|(a, b)| format!("{b}{a}{b}")),
    ]
}

proptest! {
    #[test]
    fn no_value_is_repeated(
        values in proptest::collection::vec(value(), settings_reference().len()),
        env in prop_oneof![Just("dev".to_owned()), Just("prod".to_owned()), marked()],
        keep in proptest::collection::vec(any::<bool>(), settings_reference().len()),
    ) {
        let named = settings_reference().into_iter().map(|it| it.name.replace("<PROVIDER>", "STRIPE"));
        let vars: Vec<_> = named.zip(values).zip(keep).filter(|(_, keep)| *keep).map(|(it, _)| it).collect();
        let vars = vars.into_iter().chain([("ENV".to_owned(), env), ("LEDGER_X".to_owned(), "ZQxQZ".to_owned())]);
        let printed = match Settings::from_env(vars) {
            Ok(loaded) => format!("{:?}", loaded.warnings),
            Err(problems) => format!("{problems}\n{problems:?}"),
        };
        prop_assert!(!printed.contains("ZQ"), "{}", printed);
    }

    #[test]
    fn no_url_makes_it_panic(url in "(postgresql|redis|redis\\+sentinel|unix|sqlite|x)(:|://|:///)[a-z@:/?#%,\\[\\]=&0-9 ]{0,24}") {
        let vars = [("DATABASE_URL".to_owned(), url.clone()), ("REDIS_URL".to_owned(), url)];
        let _ = Settings::from_env(vars);
    }
}
