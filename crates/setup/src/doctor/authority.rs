//! Check: does the sign-in service answer, does it know the tenant, and do the clocks agree?
//!
//! Never sends a credential.

use bytes::Bytes;
use guichet_graph::{OpenIdConfiguration, discover};
use guichet_net::{BodyLimit, HttpRequest, HttpResponse};
use guichet_store::records::Integration;
use http::{HeaderMap, Method, header::DATE};
use jiff::{Timestamp, fmt::rfc2822};
use url::Url;

use super::{Code, DoctorContext, Place, Problem, SignInNames, diagnose, sign_in};
use crate::Cloud;

/// Tokens are dated five minutes back, and assertions live for minutes: beyond this, requests fail.
const MAX_SKEW_SECONDS: i64 = 300;
/// A discovery document has two kilobytes.
const BODY: BodyLimit = BodyLimit::bytes(256 * 1024);

/// Whether it makes sense to ask for a token.
pub(super) async fn check(
    context: &DoctorContext,
    place: &Place,
    integration: &Integration,
    problems: &mut Vec<Problem>,
) -> bool {
    let authority = &place.endpoints.authority;
    let mut url = authority.clone();
    url.set_path(&format!("/{}/v2.0/.well-known/openid-configuration", place.tenant));
    let request = HttpRequest {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let answer = match context.transport.send(request, BODY).await {
        Ok(answer) => answer,
        Err(error) => {
            problems.push(diagnose::unreachable_authority(&error, authority));
            return false;
        }
    };
    if let Some(skewed) = clock(&answer, context.time.now()) {
        problems.push(skewed);
    }
    // The same again through the door that the service uses, with its checks.
    match discover(&context.transport, authority, &place.tenant).await {
        Ok(found) if !found.tenant_id().eq_ignore_ascii_case(&integration.tenant_id) => {
            let evidence = format!("`{}` is tenant {}", place.tenant, found.tenant_id());
            let problem = Problem::new(Code::TenantMismatch, &place.tenant, evidence);
            problems.push(problem.with("recorded", &integration.tenant_id));
            false
        }
        Ok(found) => {
            if let Some(problem) = other_cloud(&found, &place.endpoints.graph) {
                problems.push(problem);
                return false;
            }
            let evidence = format!("issuer {}", found.issuer);
            problems.push(Problem::new(Code::AuthorityOk, diagnose::host(authority), evidence));
            true
        }
        Err(error) => {
            let names = SignInNames {
                authority,
                graph: &place.endpoints.graph,
                tenant: &place.tenant,
                app_id: "",
            };
            problems.push(sign_in(&error, names));
            false
        }
    }
}

/// The configured Graph, where the tenant's own is another.
pub(crate) fn other_cloud(found: &OpenIdConfiguration, graph: &Url) -> Option<Problem> {
    let configured = Cloud::of_graph(graph.host_str()?)?;
    let tenants = Cloud::of_graph(found.msgraph_host.as_deref()?)?;
    (configured != tenants).then(|| {
        let evidence = format!("the tenant's discovery document names {}", tenants.graph_host());
        Problem::new(Code::CloudMismatch, diagnose::host(graph), evidence)
            .with("configured", configured.name())
            .with("cloud", tenants.name())
            .with("key", tenants.key())
    })
}

fn clock(answer: &HttpResponse, now: Timestamp) -> Option<Problem> {
    let date = answer.headers.get(DATE)?.to_str().ok()?;
    let theirs = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let off = now.duration_since(theirs).as_secs();
    (off.abs() > MAX_SKEW_SECONDS).then(|| {
        let evidence = format!("here {now}, there {theirs}");
        Problem::new(Code::ClockSkewed, "", evidence).with("seconds", &off.abs())
    })
}
