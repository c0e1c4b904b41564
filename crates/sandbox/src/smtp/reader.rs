//! Reading SMTP: command lines and message data.
//!
//! Owns the bounds and the end of data. A message ends with CRLF, dot, CRLF and nothing else, so that a bare line feed
//! cannot smuggle a second message in; within the message every byte stays as it is, but for the doubled first dot.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Longest command line; RFC 5321 asks for 512, extensions for more.
const MAX_LINE: usize = 4096;

/// A command line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its end.
    Text(String),
    /// A line over the bound; it was read to its end and thrown away.
    TooLong,
    /// The client has gone.
    Closed,
}

/// The data of a message, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Data {
    /// The message without dot-stuffing.
    Message(Vec<u8>),
    /// More than the bound; it was read to its end and thrown away.
    TooLarge,
    /// The client has gone.
    Closed,
}

/// Reads one command.
///
/// # Errors
/// When the connection fails.
pub async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Line> {
    let mut text = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(Line::Closed);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        if text.len() + taken <= MAX_LINE {
            text.extend_from_slice(&chunk[..taken]);
        } else {
            too_long = true;
        }
        reader.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if too_long {
        return Ok(Line::TooLong);
    }
    while text.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        text.pop();
    }
    Ok(Line::Text(String::from_utf8_lossy(&text).into_owned()))
}

/// Reads the data of a message up to its end mark.
///
/// # Errors
/// When the connection fails.
pub async fn data(reader: &mut (impl AsyncBufRead + Unpin), limit: usize) -> std::io::Result<Data> {
    let mut message: Vec<u8> = Vec::new();
    let mut too_large = false;
    let mut line = Vec::new();
    let mut after_crlf = true;
    loop {
        line.clear();
        let mut complete = false;
        while !complete {
            let chunk = reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(Data::Closed);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            // A line that is part of an over-long message need not be kept, but its end must be seen.
            if message.len() + line.len() + taken > limit {
                too_large = true;
                let keep = line.len().min(2);
                line.drain(..line.len() - keep);
                message.clear();
            }
            line.extend_from_slice(&chunk[..taken]);
            reader.consume(taken);
            complete = end.is_some();
        }
        if after_crlf && line == b".\r\n" {
            return Ok(if too_large {
                Data::TooLarge
            } else {
                Data::Message(message)
            });
        }
        let stuffed = after_crlf && line.first() == Some(&b'.');
        after_crlf = line.ends_with(b"\r\n");
        if !too_large {
            message.extend_from_slice(if stuffed { &line[1..] } else { &line });
        }
    }
}

/// Reads exactly `size` bytes (RFC 3030); nothing when the connection ends before. What exceeds `limit` is read and
/// thrown away, and shows as `TooLarge`.
///
/// # Errors
/// When the connection fails.
pub async fn chunk(reader: &mut (impl AsyncBufRead + Unpin), size: usize, limit: usize) -> std::io::Result<Data> {
    let mut message = Vec::new();
    let mut left = size;
    while left > 0 {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(Data::Closed);
        }
        let taken = chunk.len().min(left);
        if size <= limit {
            message.extend_from_slice(&chunk[..taken]);
        }
        reader.consume(taken);
        left -= taken;
    }
    Ok(if size > limit {
        Data::TooLarge
    } else {
        Data::Message(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8], limit: usize) -> Data {
        data(&mut std::io::Cursor::new(bytes.to_vec()), limit)
            .await
            .expect("memory does not fail")
    }

    #[tokio::test]
    async fn doubled_dots_are_undone_and_bytes_stay() {
        let message = read(b"Subject: x\r\n\r\n..dot\r\n\xff\xfe bare\nline\r\n.\r\nQUIT\r\n", 1000).await;
        assert_eq!(
            message,
            Data::Message(b"Subject: x\r\n\r\n.dot\r\n\xff\xfe bare\nline\r\n".to_vec())
        );
    }

    #[tokio::test]
    async fn a_bare_line_feed_does_not_end_the_message() {
        let message = read(b"a\n.\r\nb\r\n.\r\n", 1000).await;
        assert_eq!(message, Data::Message(b"a\n.\r\nb\r\n".to_vec()));
    }

    #[tokio::test]
    async fn too_much_data_is_read_to_its_end() {
        let mut reader = std::io::Cursor::new(b"0123456789\r\n0123456789\r\n.\r\nQUIT\r\n".to_vec());
        assert_eq!(
            data(&mut reader, 15).await.expect("memory does not fail"),
            Data::TooLarge
        );
        assert_eq!(
            line(&mut reader).await.expect("memory does not fail"),
            Line::Text("QUIT".to_owned())
        );
    }

    #[tokio::test]
    async fn chunks_are_taken_as_they_are() {
        let mut reader = std::io::Cursor::new(b"a\r\n.\r\nbNOOP\r\n".to_vec());
        let read = chunk(&mut reader, 7, 100).await.expect("memory does not fail");
        assert_eq!(read, Data::Message(b"a\r\n.\r\nb".to_vec()));
        assert_eq!(
            line(&mut reader).await.expect("memory does not fail"),
            Line::Text("NOOP".to_owned())
        );
        let mut reader = std::io::Cursor::new(b"12345".to_vec());
        assert_eq!(
            chunk(&mut reader, 5, 4).await.expect("memory does not fail"),
            Data::TooLarge
        );
        assert_eq!(
            chunk(&mut reader, 1, 4).await.expect("memory does not fail"),
            Data::Closed
        );
    }

    #[tokio::test]
    async fn a_long_command_is_thrown_away_whole() {
        let mut text = vec![b'x'; MAX_LINE * 2];
        text.extend_from_slice(b"\r\nNOOP\r\n");
        let mut reader = std::io::Cursor::new(text);
        assert_eq!(line(&mut reader).await.expect("memory does not fail"), Line::TooLong);
        assert_eq!(
            line(&mut reader).await.expect("memory does not fail"),
            Line::Text("NOOP".to_owned())
        );
        assert_eq!(line(&mut reader).await.expect("memory does not fail"), Line::Closed);
    }
}
