//! Host names and addresses, shortened on request so that two of them can still be told apart.

/// `db-1.mizan.internal` becomes `db-1.***`, `10.0.12.7` becomes `*.*.12.7`, `2001:db8::7` becomes `2001:***:7`.
/// A name without a dot stays: there is nothing to shorten.
pub(crate) fn shorten(host: &[u8], out: &mut Vec<u8>) {
    if is_ipv4(host) {
        let kept = host.rsplitn(3, |it| *it == b'.').take(2).map(<[u8]>::len).sum::<usize>() + 1;
        out.extend_from_slice(b"*.*.");
        out.extend_from_slice(&host[host.len() - kept..]);
    } else if host.contains(&b':') {
        let first = host.split(|it| *it == b':').next().unwrap_or_default();
        let last = host.rsplit(|it| *it == b':').next().unwrap_or_default();
        out.extend_from_slice(first);
        out.extend_from_slice(b":***:");
        out.extend_from_slice(last);
    } else if let Some(dot) = host.iter().position(|it| *it == b'.') {
        out.extend_from_slice(&host[..dot]);
        out.extend_from_slice(b".***");
    } else {
        out.extend_from_slice(host);
    }
}

pub(crate) fn is_ipv4(host: &[u8]) -> bool {
    let parts = || host.split(|it| *it == b'.');
    parts().count() == 4
        && parts().all(|it| !it.is_empty() && it.len() <= 3 && it.iter().all(u8::is_ascii_digit))
        && parts().all(|it| it.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0')) < 256)
}
