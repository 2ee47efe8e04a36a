//! Taking a multipart upload: the file goes to the spool as it arrives, so it never has to fit into memory.

use std::io;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use mizan_core::TimeWindow;
use mizan_flows::statements::Upload;
use multer::{Field, Multipart};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncWriteExt, BufWriter};
use utoipa::ToSchema;

use crate::error::{ApiError, codes};
use crate::params::word;
use crate::state::Edge;
use crate::times;

/// The most bytes of a field that is not the file.
const FIELD: usize = 64 << 10;

/// The fields of the form.
#[derive(ToSchema)]
#[schema(as = StatementUpload)]
#[expect(
    dead_code,
    reason = "only its document is used: the form is read as it arrives"
)]
pub(crate) struct Form {
    /// The key of a connection.
    provider: String,
    /// `generic`, `stripe`, `adyen`, `camt053`, `mt940`, `ndjson` or `parquet`; found out if left out.
    format: Option<String>,
    /// How the file names its columns and writes its values (TOML); the provider's own map if left out.
    map: Option<String>,
    /// RFC 3339; both or neither.
    period_start: Option<String>,
    period_end: Option<String>,
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What has arrived so far.
#[derive(Default)]
struct Parts {
    provider: Option<String>,
    format: Option<String>,
    map: Option<String>,
    period_start: Option<String>,
    period_end: Option<String>,
    file: Option<Arrived>,
}

struct Arrived {
    path: TempPath,
    name: String,
    sha256: String,
    bytes: u64,
}

/// Reads the whole form. The fields may come in any order.
pub(super) async fn receive(edge: &Edge, request: Request) -> Result<Upload, ApiError> {
    let (head, body) = request.into_parts();
    let boundary = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| multer::parse_boundary(it).ok())
        .ok_or_else(|| {
            ApiError::new(
                &codes::UNSUPPORTED_MEDIA_TYPE,
                "send the form as multipart/form-data",
            )
        })?;
    let parts = read(edge, body, boundary).await?;
    let missing = |field| ApiError::invalid(field, "this field is needed");
    let file = parts.file.ok_or_else(|| missing("file"))?;
    let provider = word("provider", parts.provider.as_deref())?.ok_or_else(|| missing("provider"))?;
    let start = times::maybe("period_start", parts.period_start.as_deref())?;
    let end = times::maybe("period_end", parts.period_end.as_deref())?;
    let period = match (start, end) {
        (None, None) => None,
        (Some(start), Some(end)) => {
            Some(TimeWindow::new(start, end).map_err(|it| ApiError::invalid("period_end", it))?)
        }
        (Some(_), None) => return Err(missing("period_end")),
        (None, Some(_)) => return Err(missing("period_start")),
    };
    Ok(Upload {
        file: file.path,
        name: file.name,
        provider,
        format: word("format", parts.format.as_deref().filter(|it| *it != "auto"))?,
        map: parts.map,
        period,
        sha256: file.sha256,
        bytes: file.bytes,
    })
}

async fn read(edge: &Edge, body: Body, boundary: String) -> Result<Parts, ApiError> {
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let mut parts = Parts::default();
    while let Some(field) = next(edge, form.next_field()).await?.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let slot = match name.as_str() {
            "file" => {
                if parts.file.is_some() {
                    return Err(ApiError::invalid("file", "send one file at a time"));
                }
                parts.file = Some(spool(edge, field).await?);
                continue;
            }
            "provider" => &mut parts.provider,
            "format" => &mut parts.format,
            "map" => &mut parts.map,
            "period_start" => &mut parts.period_start,
            "period_end" => &mut parts.period_end,
            other => {
                let detail = format!("the form has no field '{other}'");
                return Err(ApiError::new(&codes::UNKNOWN_PARAMETER, detail).with("field", other));
            }
        };
        *slot = Some(text(edge, &name, field).await?);
    }
    Ok(parts)
}

/// A sender that is silent for too long is given up; one that sends may take as long as the file needs.
async fn next<T>(edge: &Edge, waited: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(edge.limits.body_patience, waited)
        .await
        .map_err(|_| ApiError::plain(&codes::BODY_TOO_SLOW))
}

async fn text(edge: &Edge, name: &str, mut field: Field<'_>) -> Result<String, ApiError> {
    let mut all = Vec::new();
    while let Some(chunk) = next(edge, field.chunk()).await?.map_err(broken)? {
        if all.len() + chunk.len() > FIELD {
            return Err(ApiError::invalid(name, format!("use at most {FIELD} bytes")));
        }
        all.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(all).map_err(|_| ApiError::invalid(name, "use UTF-8"))?;
    if text.contains('\0') {
        return Err(ApiError::invalid(name, "a text may not contain U+0000"));
    }
    Ok(text)
}

/// Writes the file to the spool as it arrives.
async fn spool(edge: &Edge, mut field: Field<'_>) -> Result<Arrived, ApiError> {
    let name = field.file_name().unwrap_or("statement").to_owned();
    let dir = edge.app.objects.spool();
    let (file, path) = NamedTempFile::new_in(dir).map_err(spool_failed)?.into_parts();
    let mut out = BufWriter::with_capacity(1 << 18, tokio::fs::File::from_std(file));
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(chunk) = next(edge, field.chunk()).await?.map_err(broken)? {
        bytes += chunk.len() as u64;
        if bytes > edge.limits.statement_bytes {
            let detail = format!("a statement has at most {} bytes", edge.limits.statement_bytes);
            return Err(ApiError::new(&codes::BODY_TOO_LARGE, detail));
        }
        write(&mut out, &mut hash, &chunk).await.map_err(spool_failed)?;
    }
    out.flush().await.map_err(spool_failed)?;
    Ok(Arrived {
        path,
        name,
        sha256: hex::encode(hash.finalize()),
        bytes,
    })
}

async fn write(out: &mut BufWriter<tokio::fs::File>, hash: &mut Sha256, chunk: &Bytes) -> io::Result<()> {
    hash.update(chunk);
    out.write_all(chunk).await
}

fn broken(error: multer::Error) -> ApiError {
    tracing::debug!(%error, "a form broke off");
    ApiError::new(&codes::BAD_REQUEST, "the form cannot be read, or broke off")
}

pub(super) fn spool_failed(error: io::Error) -> ApiError {
    tracing::error!(error = %error, "the spool of statements cannot be used");
    ApiError::plain(&codes::OBJECT_STORE_UNAVAILABLE)
}
