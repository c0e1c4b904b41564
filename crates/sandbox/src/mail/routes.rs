//! Which mail operation a path and method name.
//!
//! Owns the paths below a user. Fixed words ignore case; folders may be nested to any depth the client writes.

use http::Method;

use crate::directory::UserRef;
use crate::directory::mailbox_profile::MailboxCondition;
use crate::mail::ids::FolderKey;
use crate::mail::mailbox::Mailbox;
use crate::mail::permissions::{self, Access, Depth};
use crate::mail::{
    MailService, attachment_endpoints, categories, delta, folder_delta, folder_endpoints, listing, message_endpoints,
    property_path, refusal, reply, rules, send, settings, translate, upload,
};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};
use std::sync::RwLock;

/// Everything an operation needs besides its own segments.
pub struct Scope<'a> {
    pub service: &'a MailService,
    pub request: &'a GraphRequest,
    pub user: &'a UserRef,
    pub mailbox: &'a RwLock<Mailbox>,
}

impl Scope<'_> {
    /// Looks into the mailbox.
    pub fn read<T>(&self, look: impl FnOnce(&Mailbox) -> T) -> T {
        self.service.read(self.mailbox, look)
    }

    /// Changes the mailbox.
    pub fn write<T>(&self, change: impl FnOnce(&mut Mailbox) -> T) -> T {
        self.service.write(self.mailbox, change)
    }
}

/// The largest request Graph takes (contract §2.6); upload sessions have their own bound.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

type Answer = Result<GraphResponse, ODataError>;

/// Actions and functions, which may be written with their namespace in front.
const OPERATIONS: [&str; 14] = [
    "move",
    "copy",
    "permanentdelete",
    "send",
    "createreply",
    "createreplyall",
    "createforward",
    "reply",
    "replyall",
    "forward",
    "delta",
    "createuploadsession",
    "sendmail",
    "translateexchangeids",
];

/// A fixed word in lower case, `microsoft.graph.move` as `move`.
fn unqualified(segment: &str) -> String {
    let lower = segment.to_ascii_lowercase();
    match lower.strip_prefix("microsoft.graph.") {
        Some(name) if OPERATIONS.contains(&name) => name.to_owned(),
        _ => lower,
    }
}

/// Answers `/users/{user}/<segments>`.
pub fn route(service: &MailService, request: &GraphRequest, user: &UserRef, segments: &[String]) -> Answer {
    if request.body.len() > MAX_REQUEST_BYTES {
        return Err(refusal::request_too_large());
    }
    let lower: Vec<String> = segments.iter().map(|segment| unqualified(segment)).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    // The permission is judged before the mailbox is looked for, as Graph does.
    let first = words.first().copied().unwrap_or_default();
    let access = match first {
        "mailfolders" if words.contains(&"messagerules") => match request.method {
            Method::GET => Access::Settings,
            _ => Access::SettingsWrite,
        },
        "mailfolders" | "messages" => match request.method {
            Method::GET => Access::Read,
            _ => Access::Write,
        },
        "outlook" => match request.method {
            Method::GET => Access::Settings,
            _ => Access::SettingsWrite,
        },
        "sendmail" => Access::Send,
        "translateexchangeids" => Access::Read,
        "mailboxsettings" => match request.method {
            Method::GET => Access::Settings,
            _ => Access::SettingsWrite,
        },
        "calendar"
        | "calendars"
        | "calendargroups"
        | "calendarview"
        | "events"
        | "contacts"
        | "contactfolders"
        | "todo"
        | "people"
        | "insights"
        | "drive"
        | "drives"
        | "onenote"
        | "planner"
        | "chats"
        | "teamwork"
        | "onlinemeetings"
        | "presence"
        | "photo"
        | "photos"
        | "extensions"
        | "settings"
        | "getmailtips"
        | "findmeetingtimes"
        | "reminderview"
        | "exportpersonaldata"
        | "inferenceclassification" => {
            return Err(ODataError::unsupported(format_args!("/{}", segments[0])));
        }
        _ => {
            return Err(ODataError::unknown_segment(
                segments.first().map(String::as_str).unwrap_or_default(),
            ));
        }
    };
    let access = match words.last().copied() {
        Some("send" | "reply" | "replyall" | "forward") if first != "sendmail" && request.method == Method::POST => {
            Access::Send
        }
        _ => access,
    };
    let depth = permissions::check(&*service.directory, &request.caller, user.id, access)?;
    standing(service, request, user)?;
    let mailbox = service.mailbox(user.id)?;
    let scope = Scope {
        service,
        request,
        user,
        mailbox: &mailbox,
    };
    match first {
        "mailfolders" => folders(&scope, segments, &words, depth),
        "messages" => messages(&scope, None, &segments[1..], &words[1..], depth),
        "outlook" => categories::outlook(&scope, segments, &words),
        "sendmail" => only(request, &Method::POST).and_then(|()| send::send_mail(&scope)),
        "translateexchangeids" => only(request, &Method::POST).and_then(|()| translate::translate(&scope)),
        _ => settings::settings(&scope, &words[1..]),
    }
}

/// Refuses a mailbox that Graph does not reach.
fn standing(service: &MailService, request: &GraphRequest, user: &UserRef) -> Result<(), ODataError> {
    match service.directory.mailbox_standing(user.id).1 {
        MailboxCondition::Active => Ok(()),
        MailboxCondition::SoftDeleted | MailboxCondition::OnPremises => Err(refusal::no_mailbox()),
        MailboxCondition::Moving => Err(refusal::mailbox_info_stale()),
        MailboxCondition::StaleByName => {
            let by_name = request
                .segments
                .get(1)
                .is_some_and(|name| name.eq_ignore_ascii_case(&user.user_principal_name));
            if by_name {
                Err(refusal::mailbox_info_stale())
            } else {
                Ok(())
            }
        }
    }
}

fn only(request: &GraphRequest, method: &Method) -> Result<(), ODataError> {
    if request.method == *method {
        Ok(())
    } else {
        Err(ODataError::method_not_allowed())
    }
}

/// `mailFolders/…`; `segments[0]` is the word itself.
fn folders(scope: &Scope<'_>, segments: &[String], words: &[&str], depth: Depth) -> Answer {
    let root = scope.read(|mailbox| mailbox.well_known(crate::mail::well_known::WellKnown::MessageFolderRoot));
    children(scope, root, &segments[1..], &words[1..], depth)
}

fn children(scope: &Scope<'_>, parent: FolderKey, segments: &[String], words: &[&str], depth: Depth) -> Answer {
    let method = &scope.request.method;
    match words {
        [] if method == Method::GET => folder_endpoints::list(scope, parent),
        [] if method == Method::POST => folder_endpoints::create(scope, parent),
        [] => Err(ODataError::method_not_allowed()),
        ["delta"] => only(scope.request, &Method::GET).and_then(|()| folder_delta::delta(scope)),
        ["$count"] => only(scope.request, &Method::GET).and_then(|()| folder_endpoints::count(scope, parent)),
        [_, ..] => {
            let key = scope.read(|mailbox| mailbox.resolve_folder(&segments[0]))?;
            folder(scope, key, &segments[1..], &words[1..], depth)
        }
    }
}

fn folder(scope: &Scope<'_>, key: FolderKey, segments: &[String], words: &[&str], depth: Depth) -> Answer {
    let method = &scope.request.method;
    match words {
        [
            "singlevalueextendedproperties" | "multivalueextendedproperties" | "userconfigurations",
            ..,
        ] => Err(ODataError::unsupported(format_args!("/{} on folders", segments[0]))),
        [] if method == Method::GET => folder_endpoints::get(scope, key),
        [] if method == Method::PATCH => folder_endpoints::update(scope, key),
        [] if method == Method::DELETE => folder_endpoints::delete(scope, key),
        [] => Err(ODataError::method_not_allowed()),
        ["childfolders", ..] => children(scope, key, &segments[1..], &words[1..], depth),
        ["messages", ..] => messages(scope, Some(key), &segments[1..], &words[1..], depth),
        ["move"] => only(scope.request, &Method::POST).and_then(|()| folder_endpoints::relocate(scope, key)),
        ["copy"] => only(scope.request, &Method::POST).and_then(|()| folder_endpoints::copy(scope, key)),
        ["permanentdelete"] => only(scope.request, &Method::POST).and_then(|()| folder_endpoints::erase(scope, key)),
        ["messagerules", ..] => rules::endpoints::route(scope, key, &segments[1..], &words[1..]),
        [_, ..] => Err(ODataError::unknown_segment(&segments[0])),
    }
}

fn messages(scope: &Scope<'_>, folder: Option<FolderKey>, segments: &[String], words: &[&str], depth: Depth) -> Answer {
    let request = scope.request;
    let method = &request.method;
    match words {
        [] if method == Method::GET => listing::list(scope, folder, depth),
        [] if method == Method::POST => message_endpoints::create(scope, folder),
        [] => Err(ODataError::method_not_allowed()),
        ["$count"] => {
            only(request, &Method::GET)?;
            scope.read(|mailbox| listing::count(mailbox, folder, request))
        }
        ["delta"] => {
            only(request, &Method::GET)?;
            let folder = folder.ok_or_else(|| {
                ODataError::bad_request("Change tracking is not supported against 'microsoft.graph.message' of a whole mailbox; use mailFolders/{id}/messages/delta.")
            })?;
            delta::delta(scope, folder, depth)
        }
        [_] if method == Method::GET => message_endpoints::get(scope, folder, &segments[0], depth),
        [_] if method == Method::PATCH => message_endpoints::update(scope, &segments[0]),
        [_] if method == Method::DELETE => message_endpoints::delete(scope, &segments[0]),
        [_] => Err(ODataError::method_not_allowed()),
        [_, "attachments", ..] => attachments(scope, &segments[0], &segments[2..], &words[2..], depth),
        [_, "$value"] => {
            only(request, &Method::GET)?;
            message_endpoints::value(scope, &segments[0], depth)
        }
        [_, "extensions", ..] => Err(ODataError::unsupported("open extensions on messages")),
        [_, name] | [_, name, "$value"] if method == Method::GET && property_path::named(name).is_some() => {
            let property = property_path::named(name).ok_or_else(|| ODataError::unknown_segment(name))?;
            property_path::get(scope, &segments[0], property, words.len() == 3, depth)
        }
        [_, cast, ..] if cast.starts_with("microsoft.graph.") => Err(ODataError::unsupported(format_args!(
            "the type cast {} in a path",
            segments[1]
        ))),
        [_, action] => {
            known_action(action, &segments[1])?;
            only(request, &Method::POST)?;
            action_on(scope, &segments[0], action, &segments[1])
        }
        [_, _, ..] => Err(ODataError::unknown_segment(&segments[1])),
    }
}

/// An unknown word is no segment at all; a known action that is not POSTed is a wrong method.
fn known_action(action: &str, written: &str) -> Result<(), ODataError> {
    if OPERATIONS[..10].contains(&action) {
        return Ok(());
    }
    if ["markasjunk", "marknotjunk", "unsubscribe", "mentions", "reportmessage"].contains(&action) {
        return Err(ODataError::unsupported(format_args!("/{written} on messages")));
    }
    Err(ODataError::unknown_segment(written))
}

fn action_on(scope: &Scope<'_>, id: &str, action: &str, written: &str) -> Answer {
    match action {
        "move" => message_endpoints::relocate(scope, id),
        "copy" => message_endpoints::copy(scope, id),
        "permanentdelete" => message_endpoints::erase(scope, id),
        "send" => send::send_draft(scope, id),
        "createreply" => reply::create(scope, id, reply::Kind::Reply),
        "createreplyall" => reply::create(scope, id, reply::Kind::ReplyAll),
        "createforward" => reply::create(scope, id, reply::Kind::Forward),
        "reply" => reply::send(scope, id, reply::Kind::Reply),
        "replyall" => reply::send(scope, id, reply::Kind::ReplyAll),
        "forward" => reply::send(scope, id, reply::Kind::Forward),
        _ => Err(ODataError::unknown_segment(written)),
    }
}

fn attachments(scope: &Scope<'_>, message: &str, segments: &[String], words: &[&str], depth: Depth) -> Answer {
    if depth == Depth::Basic {
        return Err(refusal::access_denied());
    }
    let method = &scope.request.method;
    match words {
        [] if method == Method::GET => attachment_endpoints::list(scope, message),
        [] if method == Method::POST => attachment_endpoints::add(scope, message),
        [] => Err(ODataError::method_not_allowed()),
        ["$count"] => only(scope.request, &Method::GET).and_then(|()| attachment_endpoints::count(scope, message)),
        ["createuploadsession"] => only(scope.request, &Method::POST).and_then(|()| upload::create(scope, message)),
        [_] if method == Method::GET => attachment_endpoints::get(scope, message, &segments[0]),
        [_] if method == Method::DELETE => attachment_endpoints::delete(scope, message, &segments[0]),
        [_] => Err(ODataError::method_not_allowed()),
        [_, "$value"] => {
            only(scope.request, &Method::GET).and_then(|()| attachment_endpoints::value(scope, message, &segments[0]))
        }
        [_, _, ..] => Err(ODataError::unknown_segment(&segments[1])),
    }
}
