"""Prepares a tenant for one client and writes what the client is given to tenant.json.

Owns the objects that every client finds: an application with a secret and a certificate, a public one, one without
any permission, a mailbox whose owner can sign in, a colleague's mailbox, and mail. All of it is made through Graph or
the control interface, as anybody would. Uses no client of Microsoft's.

usage: prepare.py <sandbox.json> <way> <tenant.json>
"""

import base64
import datetime
import json
import ssl
import sys
import urllib.parse
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
ROLES = [
    "Mail.ReadWrite",
    "Mail.Send",
    "User.Read.All",
    "MailboxSettings.Read",
    "Organization.Read.All",
]
OWNER = "owner@contoso.example"
PASSWORD = "correct horse battery staple"
COLLEAGUE = "colleague@contoso.example"
CUSTOMER = "customer@fabrikam.example"


class Web:
    """JSON over HTTP with the sandbox's own authority trusted."""

    def __init__(self, ca_file):
        context = ssl.create_default_context(cafile=ca_file)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def send(self, method, url, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        try:
            with self.opener.open(request) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}")
        return json.loads(text) if text else None


def certificate():
    """A self-signed certificate of the application: PEM of the key, PEM and DER of the certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "conformance")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made


class Directory:
    """The administrator's work, through Graph."""

    def __init__(self, web, description):
        self.web = web
        self.graph = f"{description['graph_url']}/v1.0"
        administrator = description["administrator"]
        form = {
            "grant_type": "client_credentials",
            "client_id": administrator["client_id"],
            "client_secret": administrator["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{description['authority']}/{description['tenant_id']}/oauth2/v2.0/token"
        token = web.send("POST", url, urllib.parse.urlencode(form).encode())["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, method, path, body=None):
        return self.web.send(method, self.graph + path, body, self.headers)

    def application(self, name, roles, **more):
        made = self.send("POST", "/applications", {"displayName": name, **more})
        principal = self.send("POST", "/servicePrincipals", {"appId": made["appId"]})
        graph = self.send("GET", f"/servicePrincipals(appId='{GRAPH_APP_ID}')?$select=id,appRoles")
        known = {role["value"]: role["id"] for role in graph["appRoles"]}
        for role in roles:
            self.send(
                "POST",
                f"/servicePrincipals/{graph['id']}/appRoleAssignedTo",
                {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": known[role]},
            )
        return made

    def secret(self, application):
        body = {"passwordCredential": {"displayName": "conformance"}}
        return self.send("POST", f"/applications/{application['id']}/addPassword", body)["secretText"]


def mail(number, sender=CUSTOMER):
    return (
        f"From: Customer <{sender}>\r\n"
        f"To: <{OWNER}>\r\n"
        f"Subject: Order {number:02}\r\n"
        f"Message-ID: <order-{number}@fabrikam.example>\r\n"
        f"Date: Mon, 01 Jun 2026 10:{number:02}:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "\r\n"
        f"Where is my order number {number}?\r\n"
    ).encode()


def main():
    description_file, way, output = sys.argv[1:]
    with open(description_file, encoding="utf-8") as file:
        description = json.load(file)
    web = Web(description["ca_file"])
    control = description["control_url"]
    for address, name in ((OWNER, "Owner"), (COLLEAGUE, "Colleague")):
        web.send(
            "POST", f"{control}/mailboxes", {"address": address, "display_name": name, "password": PASSWORD}
        )
    for number in range(1, 13):
        web.send("POST", f"{control}/mailboxes/{OWNER}/messages", mail(number))

    directory = Directory(web, description)
    redirects = {"redirectUris": ["http://localhost", "http://localhost/answer"]}
    application = directory.application("Conformance", ROLES, web=redirects)
    private, made = certificate()
    der = made.public_bytes(serialization.Encoding.DER)
    key = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(der).decode(),
        "displayName": "conformance",
    }
    directory.send("PATCH", f"/applications/{application['id']}", {"keyCredentials": [key]})
    public = directory.application(
        "Conformance on a device", [], publicClient=redirects, isFallbackPublicClient=True
    )
    powerless = directory.application("Conformance without permissions", [])

    own = description["authority"]
    real = way != "option"
    tenant = {
        "way": way,
        "authority": "https://login.microsoftonline.com" if real else own,
        "graph": "https://graph.microsoft.com" if real else description["graph_url"],
        "tenant_id": description["tenant_id"],
        "control": control,
        "smtp": description["smtp_address"],
        "proxy": description.get("connect_proxy"),
        "ca_file": description["ca_file"],
        "service_certificate": description["ca_file"].replace("ca.pem", "service.pem"),
        "service_key": description["ca_file"].replace("ca.pem", "service.key"),
        "application": {
            "client_id": application["appId"],
            "secret": directory.secret(application),
            "key": private,
            "certificate": made.public_bytes(serialization.Encoding.PEM).decode(),
            "thumbprint": made.fingerprint(hashes.SHA1()).hex().upper(),
            "thumbprint_sha256": made.fingerprint(hashes.SHA256()).hex().upper(),
            "redirect_uri": "http://localhost/answer",
        },
        "public_application": {"client_id": public["appId"], "redirect_uri": "http://localhost"},
        "powerless": {"client_id": powerless["appId"], "secret": directory.secret(powerless)},
        "administrator": description["administrator"],
        "owner": {"name": OWNER, "password": PASSWORD},
        "mailbox": OWNER,
        "colleague": COLLEAGUE,
        "customer": CUSTOMER,
    }
    with open(output, "w", encoding="utf-8") as file:
        json.dump(tenant, file, indent=1)


main()
