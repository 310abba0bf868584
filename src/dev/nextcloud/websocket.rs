//! A WebSocket (RFC 6455) that answers each message with itself: what `notify_push` is to a proxy.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::super::answer::Answer;
use super::call::Call;

/// Longer messages end the connection.
const LIMIT: u64 = 1024 * 1024;

/// The two things that an upgrade needs of its request.
#[derive(Clone)]
pub(super) struct Upgrade {
    pub on_upgrade: std::sync::Arc<parking_lot::Mutex<Option<OnUpgrade>>>,
    pub gone: CancellationToken,
}

/// Switches protocols, if the request asks for it properly.
pub(super) fn accept(call: &Call) -> Answer {
    let key = call.header("sec-websocket-key").filter(|_| {
        let upgrade = call.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        upgrade && call.verb() == "GET" && call.header("sec-websocket-version") == Some("13")
    });
    let (Some(key), Some(upgrade)) = (key, &call.upgrade) else {
        return Answer::new(426).header("upgrade", "websocket").header("connection", "upgrade");
    };
    if let Some(on_upgrade) = upgrade.on_upgrade.lock().take() {
        let gone = upgrade.gone.clone();
        tokio::spawn(async move {
            let Ok(upgraded) = on_upgrade.await else {
                return;
            };
            tokio::select! {
                () = gone.cancelled() => {}
                _ = echo(TokioIo::new(upgraded)) => {}
            }
        });
    }
    let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes());
    Answer::new(101)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", &STANDARD.encode(proof))
}

/// RFC 6455 §5.2: reads masked frames, writes unmasked ones, until a close frame or a fault.
async fn echo(mut io: TokioIo<Upgraded>) -> std::io::Result<()> {
    const CLOSE: u8 = 8;
    const PING: u8 = 9;
    const PONG: u8 = 10;
    loop {
        let first = io.read_u8().await?;
        let second = io.read_u8().await?;
        let length = match second & 0x7f {
            126 => u64::from(io.read_u16().await?),
            127 => io.read_u64().await?,
            short => u64::from(short),
        };
        if length > LIMIT || second & 0x80 == 0 {
            return Ok(());
        }
        let mut mask = [0; 4];
        io.read_exact(&mut mask).await?;
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        io.read_exact(&mut payload).await?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let opcode = first & 0x0f;
        if opcode == PONG {
            continue;
        }
        let first = if opcode == PING { (first & 0xf0) | PONG } else { first };
        io.write_u8(first).await?;
        match length {
            0..126 => io.write_u8(u8::try_from(length).unwrap_or_default()).await?,
            126..=0xffff => {
                io.write_u8(126).await?;
                io.write_u16(u16::try_from(length).unwrap_or_default()).await?;
            }
            _ => {
                io.write_u8(127).await?;
                io.write_u64(length).await?;
            }
        }
        io.write_all(&payload).await?;
        io.flush().await?;
        if opcode == CLOSE {
            return Ok(());
        }
    }
}
