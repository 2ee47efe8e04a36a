//! The masker: built once from what is known, shared by every sink.

use crate::engine::Engine;
use crate::known::Known as KnownForms;
use crate::known::environment::{Kind, kind};
use crate::segment::Progress;
use crate::structure::dsn;
use crate::structure::field_name::{Promise, promise};
use crate::weakness::judge;
use crate::{Masked, Refused, Secret};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Takes secrets out of text. Cheap to clone; every clone shares the same automaton.
///
/// ```
/// use mizan_mask::Masker;
/// let masker = Masker::builder().known("Tr0ub4dor&3", "DB_PASSWORD").build();
/// assert_eq!(masker.mask("login with Tr0ub4dor%263 failed").as_ref(), "login with *** failed");
/// ```
#[derive(Clone)]
pub struct Masker {
    inner: Arc<Inner>,
}

struct Inner {
    recipe: Builder,
    engine: Engine,
}

/// What a masker is built from. Also what [`Masker::to_builder`] gives back, to learn more later.
#[derive(Clone, Default)]
pub struct Builder {
    values: Vec<Secret>,
    hosts: Vec<String>,
    refused: Vec<Refused>,
    shorten_hosts: bool,
}

impl Builder {
    /// Declares a secret under a name (shown when it is refused). An address (`scheme://…`) gives its password,
    /// query secrets and hosts; anything else is the secret itself. Empty values are no secrets and are skipped.
    #[must_use]
    pub fn known<'v>(mut self, value: impl Into<Known<'v>>, name: impl Into<String>) -> Self {
        let Known(value) = value.into();
        let name = name.into();
        match dsn::whole(value.trim()) {
            Some(address) => self.learn_address(value.trim(), &address, &name),
            None => self.learn(&value, &name),
        }
        self
    }

    /// Learns from pairs of name and value: every address, and every `*_SECRET`, `*_TOKEN`, `*_KEY`,
    /// `*_PASSWORD` and `*_URL`. Other names are ignored.
    #[must_use]
    pub fn learn_from_env<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            self = match kind(name, value) {
                Kind::Secret => self.known(value, name),
                Kind::Address if value.contains("://") => self.known(value, name),
                Kind::Address | Kind::Harmless => self,
            };
        }
        self
    }

    /// Shortens host names and addresses too, keeping enough to tell two apart (off by default).
    #[must_use]
    pub fn shorten_hosts(mut self, on: bool) -> Self {
        self.shorten_hosts = on;
        self
    }

    /// Builds the automaton: a fraction of a millisecond per known value.
    pub fn build(self) -> Masker {
        let hosts: &[String] = if self.shorten_hosts { &self.hosts } else { &[] };
        let engine = Engine::new(KnownForms::new(&self.values, hosts), self.shorten_hosts);
        Masker {
            inner: Arc::new(Inner { recipe: self, engine }),
        }
    }

    fn learn(&mut self, value: &str, name: &str) {
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return;
        }
        match judge(trimmed) {
            Ok(()) => self.values.push(Secret::from(value)),
            Err(reason) => {
                let refused = Refused {
                    name: name.to_owned(),
                    reason,
                };
                if !self.refused.contains(&refused) {
                    self.refused.push(refused);
                }
            }
        }
    }

    fn learn_address(&mut self, value: &str, address: &dsn::Dsn, name: &str) {
        let userinfo = address.at.map_or("", |at| &value[address.authority..at]);
        if let Some((_, password)) = userinfo.split_once(':') {
            self.learn(password, name);
        }
        let query = value[..address.end]
            .split_once('?')
            .map_or("", |(_, query)| query);
        for (field, secret) in query.split('&').filter_map(|it| it.split_once('=')) {
            if promise(field.as_bytes()) != Promise::Nothing {
                self.learn(secret, name);
            }
        }
        let hosts = dsn::hosts(value.as_bytes(), address);
        let named = hosts
            .filter_map(|(_, host)| std::str::from_utf8(host).ok())
            .filter(|it| it.contains('.'));
        self.hosts.extend(named.map(str::to_owned));
    }
}

/// A value to be masked: text, or a [`Secret`].
pub struct Known<'v>(Cow<'v, str>);

impl<'v> From<&'v str> for Known<'v> {
    fn from(value: &'v str) -> Self {
        Self(Cow::Borrowed(value))
    }
}

impl<'v> From<&'v String> for Known<'v> {
    fn from(value: &'v String) -> Self {
        Self(Cow::Borrowed(value))
    }
}

impl<'v> From<&'v Secret> for Known<'v> {
    fn from(value: &'v Secret) -> Self {
        Self(Cow::Borrowed(value.reveal()))
    }
}

impl Masker {
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Everything this masker knows, to add to it: secrets that turn up during a run.
    pub fn to_builder(&self) -> Builder {
        self.inner.recipe.clone()
    }

    /// The known values that were too weak to look for. Show them: nothing else says that they are not masked.
    pub fn refused(&self) -> &[Refused] {
        &self.inner.recipe.refused
    }

    /// How many values it looks for by what they are.
    pub fn known_count(&self) -> usize {
        self.inner.recipe.values.len()
    }

    /// Whether host names and addresses are shortened too.
    pub fn shortens_hosts(&self) -> bool {
        self.inner.recipe.shorten_hosts
    }

    /// Whether a known value stands in `bytes` as it is. A second look by other means than masking: a plain
    /// search, so that a mistake of the masker cannot hide itself. Values that are masked only as whole tokens
    /// are left to the masker.
    pub fn holds_known_value(&self, bytes: &[u8]) -> bool {
        let long = |it: &&Secret| it.reveal().trim().len() >= crate::weakness::WHOLE_TOKEN_BELOW;
        let mut values = self.inner.recipe.values.iter().filter(long);
        values.any(|it| memchr::memmem::find(bytes, it.reveal().trim().as_bytes()).is_some())
    }

    /// Masks a whole text. What a [`MaskStream`](crate::MaskStream) writes is the same, byte for byte.
    pub fn mask(&self, text: &str) -> Masked {
        let masked = self.mask_bytes(text.as_bytes());
        Masked::new(
            String::from_utf8(masked)
                .unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()),
        )
    }

    /// Masks bytes that need not be text: the output of programs.
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        Progress::default().advance(self.engine(), bytes, true, &mut out);
        out
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Masks an address: `postgresql+asyncpg://user:***@host:5432/db`.
    pub fn mask_dsn(&self, dsn: &str) -> Masked {
        self.mask(dsn)
    }
}

/// A masker that knows no values: structure and shapes only.
impl Default for Masker {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// Shows how much it knows, and nothing of it.
impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipe = &self.inner.recipe;
        f.debug_struct("Masker")
            .field("known", &recipe.values.len())
            .field("refused", &recipe.refused)
            .finish()
    }
}

/// Masks an address (`postgresql+asyncpg://user:***@host:5432/db`, `redis://:***@host:6379/0`) when no masker
/// is at hand: in error messages of settings that cannot be read.
pub fn mask_dsn(dsn: &str) -> Masked {
    static PLAIN: LazyLock<Masker> = LazyLock::new(Masker::default);
    PLAIN.mask(dsn)
}
