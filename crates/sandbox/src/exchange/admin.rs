//! `/adminapi`: cmdlets over HTTP, as the Exchange Online PowerShell module sends them.
//!
//! Owns the two documented and undocumented routes (contract §7), who may call them, and the shape of answers: none of
//! the permissions 401, the application permission without a directory role 403 with a body that is not JSON, both
//! 200. An administrator who signed in needs the directory role alone. Long lists come in pages.

use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::auth::{self, Caller, CallerKind};
use crate::directory::model::{EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR};
use crate::exchange::cmdlets::{self, Output};
use crate::exchange::failure::Failure;
use crate::odata::error::{ODataError, Stamp};
use crate::server::paths::{GraphResponse, query_pairs};
use crate::state::Sandbox;

/// Objects of a page unless the client asks for fewer; the service's own bound.
const MAX_PAGE: usize = 1_000;

/// The documented preview: each address runs one cmdlet to look and, some of them, one to change.
const PREVIEW: [(&str, &[&str]); 4] = [
    ("OrganizationConfig", &["Get-OrganizationConfig"]),
    ("AcceptedDomain", &["Get-AcceptedDomain"]),
    ("Mailbox", &["Get-Mailbox", "Set-Mailbox"]),
    (
        "DistributionGroupMember",
        &[
            "Get-DistributionGroupMember",
            "Add-DistributionGroupMember",
            "Remove-DistributionGroupMember",
        ],
    ),
];
/// Addresses of the preview that the sandbox does not serve.
const PREVIEW_UNSUPPORTED: [&str; 2] = ["MailboxFolderPermission", "DynamicDistributionGroupMember"];

/// One request below `/adminapi`.
pub struct AdminRequest<'a> {
    pub method: &'a Method,
    /// The path after `adminapi`.
    pub segments: &'a [String],
    pub raw_query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    /// `scheme://host` as the client addressed it.
    pub base_url: &'a str,
    pub stamp: &'a Stamp,
}

/// Answers it.
pub fn answer(sandbox: &Sandbox, request: &AdminRequest<'_>) -> GraphResponse {
    let caller = match auth::exchange_caller(sandbox, request.headers) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.render(request.stamp),
    };
    let [version, tenant, resource] = request.segments else {
        return ODataError::new(StatusCode::NOT_FOUND, "NotFound", "Resource not found.").render(request.stamp);
    };
    let preview = match version.to_ascii_lowercase().as_str() {
        "beta" if resource.eq_ignore_ascii_case("InvokeCommand") => false,
        "beta" | "v1.0" => {
            return ODataError::unsupported(format!("/adminapi/{version}/…/{resource}")).render(request.stamp);
        }
        "v2.0" => true,
        _ => return ODataError::unknown_segment(version).render(request.stamp),
    };
    if !sandbox.tenant.is_called(tenant) {
        return unauthorised();
    }
    match may_administer(sandbox, &caller, preview) {
        Standing::Stranger => return unauthorised(),
        Standing::WithoutRole => return without_role(),
        Standing::Administrator => {}
    }
    if request.method != Method::POST {
        return ODataError::method_not_allowed().render(request.stamp);
    }
    let outcome = cmdlet_of(request, preview.then_some(resource.as_str()))
        .and_then(|(name, parameters)| cmdlets::run(sandbox, &name, &parameters));
    match outcome {
        Ok(output) => page(request, output, preview, tenant),
        Err(failure) => GraphResponse::json(failure.status, &failure.document()),
    }
}

/// How far a caller comes.
enum Standing {
    Stranger,
    WithoutRole,
    Administrator,
}

fn may_administer(sandbox: &Sandbox, caller: &Caller, preview: bool) -> Standing {
    let wanted: &[&str] = match (caller.kind, preview) {
        (CallerKind::App, false) => &["Exchange.ManageAsApp"],
        (CallerKind::App, true) => &["Exchange.ManageAsAppV2", "Exchange.ManageAsApp"],
        (CallerKind::Delegated, false) => &["AdminApi.AccessAsUser.All", "Exchange.Manage"],
        (CallerKind::Delegated, true) => &["Exchange.ManageV2", "AdminApi.AccessAsUser.All", "Exchange.Manage"],
        (CallerKind::Anonymous, _) => return Standing::Stranger,
    };
    if !caller.may(wanted) {
        return Standing::Stranger;
    }
    let objects = sandbox.tenant.read();
    let roles = match caller.kind {
        CallerKind::Delegated => caller
            .user_id
            .and_then(|id| objects.user_by_id(id))
            .map(|user| user.roles.as_slice()),
        CallerKind::App | CallerKind::Anonymous => caller
            .service_principal_id
            .and_then(|id| objects.service_principal(id))
            .map(|principal| principal.roles.as_slice()),
    };
    let administers = roles
        .into_iter()
        .flatten()
        .any(|role| *role == GLOBAL_ADMINISTRATOR || *role == EXCHANGE_ADMINISTRATOR);
    if administers {
        Standing::Administrator
    } else {
        Standing::WithoutRole
    }
}

fn unauthorised() -> GraphResponse {
    GraphResponse::empty(StatusCode::UNAUTHORIZED).with_header(
        http::header::WWW_AUTHENTICATE,
        r#"Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="invalid_token""#,
    )
}

/// The refusal of an application without a directory role: not JSON, and with NUL bytes in it (contract §7).
fn without_role() -> GraphResponse {
    let text = "The role assigned to application isn't supported in this scenario. Please check online documentation for assigning correct Directory Roles to Azure AD Application for EXO App-Only Authentication.";
    let mut body = text.as_bytes().to_vec();
    body.extend([0; 8]);
    GraphResponse::bytes(
        StatusCode::FORBIDDEN,
        HeaderValue::from_static("text/plain"),
        body.into(),
    )
}

/// The cmdlet's name and parameters.
fn cmdlet_of(request: &AdminRequest<'_>, preview: Option<&str>) -> Result<(String, Value), Failure> {
    let body: Value = serde_json::from_slice(request.body)
        .map_err(|_| Failure::binding("The request body isn't valid JSON.".to_owned()))?;
    let input = member(&body, "CmdletInput")
        .ok_or_else(|| Failure::binding("The property 'CmdletInput' is missing.".to_owned()))?;
    let name = member(input, "CmdletName").and_then(Value::as_str);
    let name = name
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Failure::binding("The property 'CmdletName' is missing.".to_owned()))?;
    if let Some(resource) = preview {
        let served = PREVIEW.iter().find(|(known, _)| known.eq_ignore_ascii_case(resource));
        let Some((_, allowed)) = served else {
            let known = PREVIEW_UNSUPPORTED
                .iter()
                .find(|known| known.eq_ignore_ascii_case(resource));
            return Err(match known {
                Some(known) => Failure::unsupported(&format!("the admin API's {known}")),
                None => Failure::not_found(resource),
            });
        };
        if !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
            return Err(Failure::binding(format!(
                "The cmdlet '{name}' isn't supported at the endpoint '{resource}'."
            )));
        }
    }
    let parameters = member(input, "Parameters").cloned().unwrap_or(Value::Null);
    Ok((name.to_owned(), parameters))
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn page(request: &AdminRequest<'_>, output: Output, preview: bool, tenant: &str) -> GraphResponse {
    let query = query_pairs(request.raw_query);
    let option = |wanted: &str| {
        let found = query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    let start = match option("$skiptoken").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(start)) => start,
        Some(Err(_)) => {
            let failure = Failure::binding("The page token isn't valid.".to_owned());
            return GraphResponse::json(failure.status, &failure.document());
        }
    };
    let selected: Option<Vec<&str>> = option("$select").map(|text| text.split(',').map(str::trim).collect());
    let size = page_size(request.headers);
    let total = output.value.len();
    let value: Vec<Value> = output
        .value
        .into_iter()
        .skip(start)
        .take(size)
        .map(|object| project(object, selected.as_deref()))
        .collect();
    let path = request.segments.join("/");
    let context = match preview {
        false => format!(
            "{}/adminapi/beta/{tenant}/$metadata#Collection(Exchange.GenericHashTable)",
            request.base_url
        ),
        true => format!(
            "{}/adminapi/v2.0/{tenant}/$metadata#Collection(Exchange.GenericHashTable)",
            request.base_url
        ),
    };
    let mut document = json!({
        "@odata.context": context,
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": output.warnings,
    });
    if start + value.len() < total {
        let next = format!(
            "{}/adminapi/{path}?%24skiptoken={}",
            request.base_url,
            start + value.len()
        );
        document["@odata.nextLink"] = next.into();
    }
    document["value"] = Value::Array(value);
    GraphResponse::json(StatusCode::OK, &document)
}

fn project(object: Value, selected: Option<&[&str]>) -> Value {
    match (object, selected) {
        (Value::Object(all), Some(names)) => {
            let chosen: Map<String, Value> = all
                .into_iter()
                .filter(|(name, _)| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
                .collect();
            Value::Object(chosen)
        }
        (object, _) => object,
    }
}

fn page_size(headers: &HeaderMap) -> usize {
    let prefer = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut sizes = prefer
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|part| part.trim().strip_prefix("odata.maxpagesize="))
        .filter_map(|size| size.trim().parse::<usize>().ok());
    sizes.next().map_or(MAX_PAGE, |size| size.clamp(1, MAX_PAGE))
}
