//! What delivery reports say to people.
//!
//! Owns the sentences: plain text and HTML say the same. Which report is due is decided elsewhere.

use crate::mail::body::escape;
use crate::mail::transport::envelope::Failure;

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It could not be delivered.
    Failed,
    /// It is late and still tried.
    Delayed,
    /// It lies in the mailbox.
    Delivered,
    /// A server outside has it, and reports nothing itself.
    Relayed,
}

impl Kind {
    /// The prefix of the subject.
    #[must_use]
    pub fn subject_prefix(self) -> &'static str {
        match self {
            Self::Failed => "Undeliverable: ",
            Self::Delayed => "Delayed: ",
            Self::Delivered => "Delivered: ",
            Self::Relayed => "Relayed: ",
        }
    }

    /// RFC 3464 §2.3.3.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
        }
    }
}

/// The heading above the recipients.
#[must_use]
pub fn heading(kind: Kind, remote: Option<&str>) -> String {
    match (kind, remote) {
        (Kind::Failed, Some(remote)) => format!("{remote} rejected your message to the following email addresses:"),
        (Kind::Failed, None) => "Delivery has failed to these recipients or groups:".to_owned(),
        (Kind::Delayed, _) => "Delivery is delayed to these recipients or groups:".to_owned(),
        (Kind::Delivered, _) => "Your message has been delivered to the following recipients:".to_owned(),
        (Kind::Relayed, _) => "Delivery to these recipients or groups is complete, but no delivery notification was sent by the destination server:".to_owned(),
    }
}

/// What is wrong and what to do.
#[must_use]
pub fn explanation(kind: Kind, failure: Option<&Failure>) -> &'static str {
    let Some(failure) = failure else { return "" };
    if kind == Kind::Delayed {
        return "This message hasn't been delivered yet. Delivery will continue to be attempted.";
    }
    match failure.status.as_str() {
        "5.1.1" | "5.1.10" | "5.1.3" | "5.1.351" => {
            "The email address you entered couldn't be found. Please check the recipient's email address and try to resend the message. If the problem continues, please contact your email admin."
        }
        "5.2.2" | "5.2.3" => {
            "The recipient's mailbox is full and can't accept messages now. Please try resending your message later, or contact the recipient directly."
        }
        "5.3.4" => {
            "This message is too large to be delivered. Please reduce the size of the message and try to send it again."
        }
        "5.4.1" | "5.4.310" => {
            "Your message couldn't be delivered: the recipient's email system refuses mail for this address. Please check the address and contact the recipient directly."
        }
        "5.4.14" | "5.4.6" => {
            "A problem occurred while delivering this message: it keeps going round in a loop. Please contact your email admin."
        }
        "4.4.7" => {
            "The server has tried to deliver this message, without success, and has stopped trying. Please try sending this message again. If the problem continues, contact your email admin."
        }
        status if status.starts_with("5.7.") => {
            "Your message wasn't delivered because the recipient's email system doesn't permit it. Please contact the recipient directly, or your email admin."
        }
        _ => {
            "Your message couldn't be delivered. Please try sending it again later, or contact the recipient directly. If the problem continues, contact your email admin."
        }
    }
}

/// One recipient with what happened.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    pub address: &'a str,
    pub failure: Option<&'a Failure>,
}

/// What stands in the diagnostic part for one recipient.
fn diagnosis(failure: &Failure) -> String {
    match &failure.remote {
        Some(remote) => format!("{remote}\nRemote server returned '{}'", failure.reply()),
        None => format!("Remote server returned '{}'", failure.reply()),
    }
}

/// The report as plain text.
#[must_use]
pub fn plain(kind: Kind, outcomes: &[Outcome<'_>], server: &str, original_headers: &str, subject: &str) -> String {
    let remote = outcomes
        .first()
        .and_then(|outcome| outcome.failure)
        .and_then(|failure| failure.remote.as_deref());
    let mut text = format!("{}\n\n", heading(kind, remote));
    for outcome in outcomes {
        text.push_str(&format!("{0}<mailto:{0}>\n", outcome.address));
        let said = explanation(kind, outcome.failure);
        if !said.is_empty() {
            text.push_str(&format!("{said}\n\n"));
        }
    }
    if matches!(kind, Kind::Delivered | Kind::Relayed) {
        text.push_str(&format!("\nSubject: {subject}\n"));
        return text;
    }
    text.push_str(&format!(
        "\n\n\nDiagnostic information for administrators:\n\nGenerating server: {server}\n\n"
    ));
    for outcome in outcomes {
        text.push_str(outcome.address);
        text.push('\n');
        if let Some(failure) = outcome.failure {
            text.push_str(&diagnosis(failure));
            text.push_str("\n\n");
        }
    }
    text.push_str(&format!("Original message headers:\n\n{original_headers}"));
    text
}

/// The report as HTML.
#[must_use]
pub fn html(kind: Kind, outcomes: &[Outcome<'_>], server: &str, original_headers: &str, subject: &str) -> String {
    let remote = outcomes
        .first()
        .and_then(|outcome| outcome.failure)
        .and_then(|failure| failure.remote.as_deref());
    let mut html = format!(
        "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n</head>\n<body>\n\
         <p><b><font color=\"#000066\" size=\"3\" face=\"Arial\">{}</font></b></p>\n<font color=\"#000000\" size=\"2\" face=\"Tahoma\">",
        escape(&heading(kind, remote))
    );
    for outcome in outcomes {
        let address = escape(outcome.address);
        html.push_str(&format!("<p><a href=\"mailto:{address}\">{address}</a><br>\n"));
        html.push_str(&escape(explanation(kind, outcome.failure)));
        html.push_str("</p>\n");
    }
    html.push_str("</font>\n");
    if matches!(kind, Kind::Delivered | Kind::Relayed) {
        html.push_str(&format!("<p>Subject: {}</p>\n</body>\n</html>\n", escape(subject)));
        return html;
    }
    html.push_str(&format!(
        "<br><br><br><font color=\"#808080\" size=\"2\" face=\"Tahoma\"><p><b>Diagnostic information for administrators:</b></p>\n\
         <p>Generating server: {}</p>\n",
        escape(server)
    ));
    for outcome in outcomes {
        html.push_str(&format!("<p>{}<br>\n", escape(outcome.address)));
        if let Some(failure) = outcome.failure {
            html.push_str(&escape(&diagnosis(failure)));
        }
        html.push_str("</p>\n");
    }
    html.push_str(&format!(
        "<p>Original message headers:</p>\n<pre>{}</pre>\n</font>\n</body>\n</html>\n",
        original_headers.lines().map(escape).collect::<Vec<_>>().join("\n")
    ));
    html
}
