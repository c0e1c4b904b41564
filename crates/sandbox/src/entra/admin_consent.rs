//! `/adminconsent`: an administrator grants an application everything it lists, for the whole organisation.
//!
//! Owns the grants made here: application permissions as assignments, delegated ones as grants for all principals. It
//! creates the service principal where there is none. What is granted already stays as it is.

use http::{Method, StatusCode};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::directory::model::{AppRoleAssignment, Grant};
use crate::directory::permissions;
use crate::directory::redirects;
use crate::directory::tenant::Objects;
use crate::entra::clients::WELL_KNOWN;
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::redirect::{ResponseMode, Target};
use crate::entra::scope;
use crate::entra::sign_in_page::{self, SignInForm};
use crate::entra::tenancy::Tenancy;
use crate::server::paths::GraphResponse;
use crate::state::Sandbox;

/// What would be granted on one resource.
#[derive(Debug, Default)]
struct Wanted {
    resource: Uuid,
    roles: Vec<Uuid>,
    scopes: Vec<String>,
}

struct Asked {
    app_id: Uuid,
    name: String,
    wanted: Vec<Wanted>,
    target: Target,
}

/// `/{tenant}/adminconsent` and `/{tenant}/v2.0/adminconsent`; the latter takes delegated permissions from `scope`.
#[must_use]
pub fn answer(sandbox: &Sandbox, request: &LoginRequest) -> GraphResponse {
    if !matches!(request.method, Method::GET | Method::POST) {
        return GraphResponse::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let known = Form::with_query(request).and_then(|form| Ok((asked(sandbox, request, &form)?, form)));
    let (asked, form) = match known {
        Ok(known) => known,
        Err(error) => return sign_in_page::refusal(&error),
    };
    let problem = match form.get("action").filter(|_| request.method == Method::POST) {
        None => None,
        Some("decline") => {
            return asked.target.send(&[
                ("error", "permission_denied"),
                ("error_description", "The admin canceled the request"),
                ("admin_consent", "True"),
            ]);
        }
        Some(_) => match accept(sandbox, &asked, &form) {
            Ok(response) => return response,
            Err(error) => Some(error.description()),
        },
    };
    let names: Vec<&str> = asked.wanted.iter().flat_map(names).collect();
    sign_in_page::sign_in(&SignInForm {
        application: &asked.name,
        permissions: &names.join(" "),
        problem,
        form: &form,
    })
}

fn names(wanted: &Wanted) -> impl Iterator<Item = &str> {
    let roles = wanted.roles.iter();
    let roles = roles.filter_map(|role| permissions::role_by_id(wanted.resource, *role).map(|role| role.value));
    roles.chain(wanted.scopes.iter().map(String::as_str))
}

fn asked(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Asked, OAuthError> {
    let tenant = &sandbox.tenant;
    if Tenancy::parse(tenant, &request.segments[0])? == Tenancy::Consumers {
        return Err(OAuthError::tenant_needed());
    }
    let client_id = form.need("client_id")?;
    let unknown = || OAuthError::unknown_application(client_id, &tenant.display_name);
    let app_id: Uuid = client_id
        .parse()
        .map_err(|_| OAuthError::invalid_application(client_id))?;
    let objects = tenant.read();
    if WELL_KNOWN.iter().any(|known| known.app_id == app_id) {
        return Err(OAuthError::missing_redirect());
    }
    let application = objects.application_of(app_id).ok_or_else(unknown)?;
    let uri = form.get("redirect_uri").ok_or_else(OAuthError::missing_redirect)?;
    let registered = redirects::platform_of(application, uri).and_then(|_| Url::parse(uri).ok());
    let target = Target {
        uri: registered.ok_or_else(|| OAuthError::unknown_redirect(uri, app_id))?,
        mode: ResponseMode::Query,
        state: form.get("state").map(str::to_owned),
    };
    let static_consent = form.get("scope").is_none_or(|scope| scope.ends_with(".default"));
    let wanted = match form.get("scope").filter(|_| !static_consent) {
        None => registered_access(application.document.get("requiredResourceAccess")),
        Some(scope) => {
            let requested = scope::delegated_scope(&objects, tenant.id, scope)?;
            vec![Wanted {
                resource: requested.resource.app_id,
                roles: Vec::new(),
                scopes: requested.permissions,
            }]
        }
    };
    Ok(Asked {
        app_id,
        name: application.display_name().to_owned(),
        wanted,
        target,
    })
}

/// `requiredResourceAccess` with the names of its delegated permissions; ids nobody publishes are left out.
fn registered_access(listed: Option<&Value>) -> Vec<Wanted> {
    let entries = listed.and_then(Value::as_array).into_iter().flatten();
    let wanted = entries.filter_map(|entry| {
        let resource: Uuid = entry["resourceAppId"].as_str()?.parse().ok()?;
        let mut wanted = Wanted {
            resource,
            ..Wanted::default()
        };
        for access in entry["resourceAccess"].as_array().into_iter().flatten() {
            let Some(id) = access["id"].as_str().and_then(|id| id.parse::<Uuid>().ok()) else {
                continue;
            };
            if access["type"] == "Role" {
                wanted.roles.push(id);
            } else if let Some(scope) = permissions::scope_by_id(resource, id) {
                wanted.scopes.push(scope.value.to_owned());
            }
        }
        Some(wanted)
    });
    wanted.collect()
}

fn accept(sandbox: &Sandbox, asked: &Asked, form: &Form) -> Result<GraphResponse, OAuthError> {
    let tenant = &sandbox.tenant;
    let user = sign_in_page::signed_in(sandbox, form.get("username"), form.get("password"))?;
    if !user.is_administrator() {
        let names: Vec<&str> = asked.wanted.iter().flat_map(names).collect();
        return Err(OAuthError::admin_consent_required(&names.join(", ")));
    }
    let client = tenant.ensure_service_principal(asked.app_id, &asked.name, tenant.id);
    {
        let mut objects = tenant.write();
        for wanted in &asked.wanted {
            let Some(resource) = objects
                .service_principal_of(wanted.resource)
                .map(|resource| resource.id)
            else {
                return Err(OAuthError::misconfigured_application(
                    asked.app_id,
                    &asked.name,
                    &wanted.resource.to_string(),
                ));
            };
            grant_roles(sandbox, &mut objects, client, resource, &wanted.roles);
            grant_scopes(sandbox, &mut objects, client, resource, &wanted.scopes);
        }
    }
    let id = tenant.id.to_string();
    let mut fields = vec![("admin_consent", "True"), ("tenant", id.as_str())];
    if let Some(scope) = form.get("scope") {
        fields.push(("scope", scope));
    }
    Ok(asked.target.send(&fields))
}

fn grant_roles(sandbox: &Sandbox, objects: &mut Objects, principal_id: Uuid, resource_id: Uuid, roles: &[Uuid]) {
    for role in roles {
        let published = objects
            .service_principal(resource_id)
            .is_some_and(|resource| resource.role_value(*role).is_some());
        let held = objects.assignments.iter().any(|held| {
            held.principal_id == principal_id && held.resource_id == resource_id && held.app_role_id == *role
        });
        if published && !held {
            objects.assignments.push(AppRoleAssignment {
                id: sandbox.tenant.link_id(),
                app_role_id: *role,
                principal_id,
                resource_id,
                created_at: sandbox.clock.now(),
            });
        }
    }
}

fn grant_scopes(sandbox: &Sandbox, objects: &mut Objects, client_id: Uuid, resource_id: Uuid, scopes: &[String]) {
    if scopes.is_empty() {
        return;
    }
    let for_all = objects
        .grants
        .iter_mut()
        .find(|grant| grant.client_id == client_id && grant.resource_id == resource_id && grant.principal_id.is_none());
    match for_all {
        Some(grant) => {
            for scope in scopes {
                if !grant.scope.split(' ').any(|held| held.eq_ignore_ascii_case(scope)) {
                    grant.scope = format!("{} {scope}", grant.scope);
                }
            }
        }
        None => objects.grants.push(Grant {
            id: sandbox.tenant.link_id(),
            client_id,
            principal_id: None,
            resource_id,
            scope: scopes.join(" "),
        }),
    }
}
