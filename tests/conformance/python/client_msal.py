"""msal: every grant that a program without a browser of its own can use."""

import msal
import requests

from suite import Suite, answer_of, equal, person

suite = Suite()
tenant = suite.tenant
application = tenant["application"]
authority = f"{tenant['authority']}/{tenant['tenant_id']}"
# The documented way to use an authority that Microsoft's discovery does not know.
options = {"authority": authority}
if tenant["way"] == "option":
    options["instance_discovery"] = False
everything = ["https://graph.microsoft.com/.default"]


def confidential(credential, **more):
    return msal.ConfidentialClientApplication(
        application["client_id"], client_credential=credential, **{**options, **more}
    )


def public():
    return msal.PublicClientApplication(tenant["public_application"]["client_id"], **options)


def token_of(result):
    if "access_token" not in result:
        raise AssertionError(f"{result.get('error')}: {result.get('error_description')}")
    return result["access_token"]


def graph(token, path):
    answer = requests.get(f"{tenant['graph']}/v1.0{path}", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


@suite.check("client secret")
def _():
    app = confidential(application["secret"])
    token = token_of(app.acquire_token_for_client(everything))
    status, page = graph(token, f"/users/{tenant['mailbox']}/mailFolders/inbox/messages?$top=2")
    equal((status, len(page["value"])), (200, 2))


@suite.check("token cache")
def _():
    app = confidential(application["secret"])
    first = token_of(app.acquire_token_for_client(everything))
    again = app.acquire_token_for_client(everything)
    equal((again["token_source"], again["access_token"]), ("cache", first))


@suite.check("certificate with thumbprint")
def _():
    credential = {"private_key": application["key"], "thumbprint": application["thumbprint"]}
    token_of(confidential(credential).acquire_token_for_client(everything))


@suite.check("certificate with its chain")
def _():
    credential = {
        "private_key": application["key"],
        "thumbprint": application["thumbprint"],
        "public_certificate": application["certificate"],
    }
    token_of(confidential(credential).acquire_token_for_client(everything))


@suite.check("instance discovery")
def _():
    # A host name that Microsoft's list has: then discovery is on by default and asks that host.
    if tenant["way"] == "option":
        app = confidential(application["secret"], instance_discovery=True, authority=authority)
    else:
        app = confidential(application["secret"], authority=f"https://login.windows.net/{tenant['tenant_id']}")
    token_of(app.acquire_token_for_client(everything))


if tenant["way"] == "option":
    # It would ask login.microsoftonline.com, which this way does not redirect.
    suite.checks.pop()


@suite.check("wrong secret is invalid_client with its code")
def _():
    result = confidential("wrong").acquire_token_for_client(everything)
    equal((result["error"], result["error_codes"]), ("invalid_client", [7000215]))


@suite.check("scope without /.default is invalid_scope")
def _():
    result = confidential(application["secret"]).acquire_token_for_client(["https://graph.microsoft.com/Mail.Read"])
    equal((result["error"], result["error_codes"]), ("invalid_scope", [1002012]))


@suite.check("unknown application is unauthorized_client")
def _():
    app = msal.ConfidentialClientApplication(
        "7c5dd3e8-6a13-4ad6-b9aa-21a90d4b0a01", client_credential="x", **options
    )
    result = app.acquire_token_for_client(everything)
    equal((result["error"], result["error_codes"]), ("unauthorized_client", [700016]))


@suite.check("unknown tenant is refused at discovery")
def _():
    try:
        confidential("x", authority=f"{tenant['authority']}/7c5dd3e8-6a13-4ad6-b9aa-21a90d4b0a01").acquire_token_for_client(
            everything
        )
    except ValueError as error:
        assert "Unable to get authority configuration" in str(error), error
    else:
        raise AssertionError("it was accepted")


@suite.check("device code")
def _():
    app = public()
    flow = app.initiate_device_flow(["Mail.Read", "User.Read"])
    person(flow["verification_uri"], *tenant["owner"].values(), code=flow["user_code"])
    result = app.acquire_token_by_device_flow(flow)
    status, me = graph(token_of(result), "/me")
    equal((status, me["userPrincipalName"]), (200, tenant["owner"]["name"]))
    equal(result["id_token_claims"]["preferred_username"], tenant["owner"]["name"])


@suite.check("device code that is not entered is authorization_pending")
def _():
    app = public()
    flow = app.initiate_device_flow(["Mail.Read"])
    flow["expires_at"] = 0  # documented: makes the call return after one try
    equal(app.acquire_token_by_device_flow(flow)["error"], "authorization_pending")


@suite.check("device code declined is authorization_declined")
def _():
    app = public()
    flow = app.initiate_device_flow(["Mail.Read"])
    person(flow["verification_uri"], *tenant["owner"].values(), code=flow["user_code"], action="decline")
    equal(app.acquire_token_by_device_flow(flow)["error"], "authorization_declined")


def sign_in(app, scopes, redirect_uri):
    flow = app.initiate_auth_code_flow(scopes, redirect_uri=redirect_uri)
    return flow, answer_of(person(flow["auth_uri"], *tenant["owner"].values()))


@suite.check("authorization code with PKCE")
def _():
    app = confidential(application["secret"])
    flow, answer = sign_in(app, ["Mail.ReadWrite"], application["redirect_uri"])
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    status, page = graph(token_of(result), "/me/mailFolders/inbox/messages?$top=1")
    equal((status, len(page["value"])), (200, 1))
    equal(result["id_token_claims"]["name"], "Owner")


@suite.check("authorization code of a public client")
def _():
    app = public()
    flow, answer = sign_in(app, ["Mail.Read"], "http://localhost:7531")
    token_of(app.acquire_token_by_auth_code_flow(flow, answer))


@suite.check("authorization code is good once")
def _():
    app = confidential(application["secret"])
    flow, answer = sign_in(app, ["Mail.Read"], application["redirect_uri"])
    token_of(app.acquire_token_by_auth_code_flow(flow, answer))
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    equal(result["error"], "invalid_grant")


@suite.check("refresh")
def _():
    app = confidential(application["secret"])
    flow, answer = sign_in(app, ["Mail.Read"], application["redirect_uri"])
    first = token_of(app.acquire_token_by_auth_code_flow(flow, answer))
    (account,) = app.get_accounts()
    equal(account["username"], tenant["owner"]["name"])
    result = app.acquire_token_silent_with_error(["Mail.Read"], account, force_refresh=True)
    assert token_of(result) != first, "it was not refreshed"
    equal(result["token_source"], "identity_provider")


@suite.check("on behalf of a user")
def _():
    app = confidential(application["secret"])
    result = app.acquire_token_on_behalf_of("no token", ["https://graph.microsoft.com/Mail.Read"])
    assert "error" in result, "nonsense was accepted"


@suite.check("token without roles is refused by Graph")
def _():
    app = msal.ConfidentialClientApplication(
        tenant["powerless"]["client_id"], client_credential=tenant["powerless"]["secret"], **options
    )
    status, body = graph(token_of(app.acquire_token_for_client(everything)), f"/users/{tenant['mailbox']}/messages")
    equal((status, body["error"]["code"]), (403, "ErrorAccessDenied"))


suite.run()
