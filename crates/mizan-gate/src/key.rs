//! The key that packs are signed with: ed25519, as PEM files that other tools read too.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
pub use ed25519_dalek::SigningKey;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use mizan_mask::Secret;
use sha2::{Digest, Sha256};

/// The environment variable that may hold the private key itself, as PEM.
pub const VARIABLE: &str = "MIZAN_GATE_KEY";

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path} is there already; a key is never written over, so name another file", path = .0.display())]
    Exists(PathBuf),
    #[error("{path} cannot be written", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} cannot be read", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} can be read by others than its owner: chmod 600 {path}, or make a new key", path = .0.display())]
    Open(PathBuf),
    #[error("{from} holds no ed25519 private key as PKCS#8 PEM; `mizan gate keygen` makes one")]
    NotPrivate { from: String },
    #[error("{from} holds no ed25519 public key as PEM; it begins with -----BEGIN PUBLIC KEY-----")]
    NotPublic { from: String },
}

/// Makes a key of 32 random bytes.
pub fn generate(seed: &Secret<Vec<u8>>) -> Option<SigningKey> {
    SigningKey::try_from(seed.reveal()).ok()
}

/// Writes the private key to `path`, readable by its owner only, and the public key beside it as `path.pub`.
pub fn write(key: &SigningKey, path: &Path) -> Result<PathBuf, KeyError> {
    let public = with_suffix(path, ".pub");
    for file in [path, &public] {
        if file.exists() {
            return Err(KeyError::Exists(file.to_owned()));
        }
    }
    // Without the public half (PKCS#8 version 1), which is the form that every library reads.
    let pair = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    let unwritten = |path: &Path, error: String| KeyError::Write {
        path: path.to_owned(),
        source: io::Error::other(error),
    };
    let private_pem = pair
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|it| unwritten(path, it.to_string()))?;
    let public_pem = key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|it| unwritten(&public, it.to_string()))?;
    create(path, 0o600, private_pem.as_bytes())?;
    create(&public, 0o644, public_pem.as_bytes())?;
    Ok(public)
}

fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => KeyError::Write {
            path: path.to_owned(),
            source,
        },
    })
}

/// The private key that a run is given: of the file, else of the variable. An empty variable is none, as CI systems hand
/// over a secret that is not set.
pub fn load(file: Option<&Path>, variable: Option<&Secret>) -> Result<Option<SigningKey>, KeyError> {
    match (file, variable) {
        (Some(file), _) => from_file(file).map(Some),
        (None, Some(pem)) if !pem.reveal().trim().is_empty() => from_pem(pem, VARIABLE).map(Some),
        _ => Ok(None),
    }
}

/// The private key of a file. A file that others can read is refused, as ssh does.
pub fn from_file(path: &Path) -> Result<SigningKey, KeyError> {
    let unread = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    #[cfg(unix)]
    {
        let about = fs::metadata(path).map_err(unread)?;
        if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
            return Err(KeyError::Open(path.to_owned()));
        }
    }
    let pem = Secret::from(fs::read_to_string(path).map_err(unread)?);
    from_pem(&pem, &path.display().to_string())
}

/// The private key of a PEM text, as an environment variable holds it: also with `\n` for the line ends.
pub fn from_pem(pem: &Secret, from: &str) -> Result<SigningKey, KeyError> {
    let lines = Secret::from(pem.reveal().trim().replace("\\n", "\n"));
    SigningKey::from_pkcs8_pem(lines.reveal()).map_err(|_| KeyError::NotPrivate {
        from: from.to_owned(),
    })
}

/// The private key as it may be printed, beside its PEM: nobody else knows these spellings to hide them.
pub fn spellings(key: &SigningKey) -> Vec<(String, Secret)> {
    let seed = key.to_bytes();
    let base64 = base64::engine::general_purpose::STANDARD;
    let pair = KeypairBytes {
        secret_key: seed,
        public_key: None,
    };
    let mut all = vec![hex::encode(seed), hex::encode_upper(seed), base64.encode(seed)];
    all.extend(pair.to_pkcs8_der().ok().map(|it| base64.encode(it.as_bytes())));
    all.into_iter()
        .map(|it| ("the signing key".to_owned(), Secret::from(it)))
        .collect()
}

/// The public key of a file.
pub fn public_from_file(path: &Path) -> Result<VerifyingKey, KeyError> {
    let unread = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    let pem = fs::read_to_string(path).map_err(unread)?;
    let from = path.display().to_string();
    VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| KeyError::NotPublic { from })
}

/// The key id as securesystemslib makes it: the sha256 of the key's description as canonical JSON.
pub fn id(key: &VerifyingKey) -> String {
    let public = hex::encode(key.as_bytes());
    let canonical = format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#);
    hex::encode(Sha256::digest(canonical))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
