"""parsedmarc: a complete application, from a report in a mailbox to the file it writes."""

import base64
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile

from suite import Control, Suite, equal

suite = Suite()
tenant = suite.tenant
control = Control(tenant)

REPORT = """<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>fabrikam.example</org_name><email>dmarc@fabrikam.example</email>
    <report_id>{number}</report_id>
    <date_range><begin>1780272000</begin><end>1780358399</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>contoso.example</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.{number}</source_ip><count>{number}</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><header_from>contoso.example</header_from></identifiers>
    <auth_results>
      <dkim><domain>contoso.example</domain><selector>s1</selector><result>pass</result></dkim>
      <spf><domain>contoso.example</domain><result>fail</result></spf>
    </auth_results>
  </record>
</feedback>
"""


def zipped(name, xml):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.xml", xml)
    return f"{name}.zip", "application/zip", out.getvalue()


def gzipped(name, xml):
    return f"{name}.xml.gz", "application/gzip", gzip.compress(xml.encode())


def report_mail(number, pack):
    file, kind, content = pack(f"fabrikam.example!contoso.example!1780272000!1780358399!{number}", REPORT.format(number=number))
    encoded = base64.encodebytes(content).decode().replace("\n", "\r\n")
    return (
        f"From: DMARC reports <dmarc@fabrikam.example>\r\nTo: {tenant['mailbox']}\r\n"
        f"Subject: Report domain: contoso.example Submitter: fabrikam.example Report-ID: {number}\r\n"
        f"Message-ID: <report-{number}@fabrikam.example>\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=parts\r\n\r\n"
        "--parts\r\nContent-Type: text/plain\r\n\r\nThis is an aggregate report.\r\n"
        f"--parts\r\nContent-Type: {kind}; name={file}\r\nContent-Disposition: attachment; filename={file}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}--parts--\r\n"
    ).encode()


def ingest(directory, credential):
    os.makedirs(directory, exist_ok=True)
    lines = [
        "[general]",
        "save_aggregate = True",
        "offline = True",
        "always_use_local_files = True",
        "n_procs = 1",
        f"output = {directory}",
        "[mailbox]",
        "reports_folder = Inbox",
        "archive_folder = DMARC",
        "batch_size = 100",
        "[msgraph]",
        f"tenant_id = {tenant['tenant_id']}",
        f"client_id = {tenant['application']['client_id']}",
        f"mailbox = {tenant['mailbox']}",
        "allow_unencrypted_storage = True",
        f"token_file = {directory}/token",
        *credential,
    ]
    if tenant["way"] == "proxy":
        # Its Graph client leaves the proxy of the environment out; its authority does not.
        with open(os.environ["CONFORMANCE_DESCRIPTION"], encoding="utf-8") as file:
            lines.append(f"graph_url = {json.load(file)['graph_url']}")
    settings = os.path.join(directory, "parsedmarc.ini")
    with open(settings, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    program = os.path.join(os.path.dirname(sys.executable), "parsedmarc")
    environment = {**os.environ, "NO_PROXY": "localhost"}
    done = subprocess.run([program, "-c", settings], capture_output=True, text=True, timeout=280, env=environment)
    equal((done.returncode, done.stderr[-1500:] if done.returncode else ""), (0, ""))
    return done


def messages(folder=None):
    found = control.send("GET", f"/mailboxes/{tenant['mailbox']}/messages")["messages"]
    return [message for message in found if message["subject"].startswith("Report domain")]


@suite.check("report by client secret: zip and gzip to CSV and JSON")
def _():
    for number, pack in ((1, zipped), (2, gzipped), (3, zipped)):
        control.deliver(tenant["mailbox"], report_mail(number, pack))
    directory = os.path.abspath("secret")
    ingest(directory, ["auth_method = ClientSecret", f"client_secret = {tenant['application']['secret']}"])
    with open(os.path.join(directory, "aggregate.json"), encoding="utf-8") as file:
        reports = json.load(file)
    found = sorted(
        (report["report_metadata"]["report_id"], report["records"][0]["source"]["ip_address"], report["records"][0]["count"])
        for report in reports
    )
    equal(found, [("1", "192.0.2.1", 1), ("2", "192.0.2.2", 2), ("3", "192.0.2.3", 3)])
    with open(os.path.join(directory, "aggregate.csv"), encoding="utf-8", newline="") as file:
        equal(sorted(row["source_ip_address"] for row in csv.DictReader(file)), [f"192.0.2.{n}" for n in (1, 2, 3)])


@suite.check("reports are archived, other mail is set aside")
def _():
    folders = {}
    for message in control.send("GET", f"/mailboxes/{tenant['mailbox']}/messages")["messages"]:
        folders.setdefault(message["folder"], []).append(message["subject"])
    equal(sorted(folders.get("Aggregate", [])), sorted(message["subject"] for message in messages()))
    equal(len(folders.get("Invalid", [])), 12)
    equal(folders.get("Inbox", []), [])


@suite.check("report by certificate, folders exist already")
def _():
    control.deliver(tenant["mailbox"], report_mail(4, gzipped))
    pem = os.path.abspath("application.pem")
    with open(pem, "w", encoding="utf-8") as file:
        file.write(tenant["application"]["key"] + tenant["application"]["certificate"])
    directory = os.path.abspath("certificate")
    ingest(directory, ["auth_method = Certificate", f"certificate_path = {pem}"])
    with open(os.path.join(directory, "aggregate.json"), encoding="utf-8") as file:
        equal([report["report_metadata"]["report_id"] for report in json.load(file)], ["4"])


suite.run()
