"""A stand-in for az: `rest` against a small directory in a JSON file, with every call recorded."""
import json, os, re, sys, urllib.parse

place = os.environ["FAKE_AZ"]
state = json.load(open(place))
arguments = sys.argv[1:]
state["calls"].append(arguments)


def option(name, default=None):
    return arguments[arguments.index(name) + 1] if name in arguments else default


def finish(value):
    json.dump(state, open(place, "w"))
    query, output = option("--query"), option("-o", "json")
    if query is not None:
        import jmespath
        value = jmespath.search(query, value)
    if output == "none":
        return
    if output == "json":
        print(json.dumps(value))
        return
    rows = value if isinstance(value, list) else [] if value is None else [value]
    for row in rows:
        print("\t".join(map(str, row)) if isinstance(row, list) else row)


def fail(message):
    json.dump(state, open(place, "w"))
    sys.exit("ERROR: " + message)


if arguments[:2] == ["cloud", "show"]:
    finish({"endpoints": {"microsoftGraphResourceId": "https://graph.microsoft.com/"}})
    sys.exit()
if arguments[0] != "rest":
    fail("unexpected command")
for argument in arguments:
    if argument.startswith("@") or argument.partition("=")[2].startswith("@"):
        fail("az would read a file: " + argument)

method, url = option("--method"), option("--url")
path, _, search = url.removeprefix("https://graph.microsoft.com/v1.0/").partition("?")
filter_ = dict(urllib.parse.parse_qsl(search)).get("$filter", "")
body = json.loads(option("--body", "null"))
if method != "get":
    state["writes"] += 1
identifier = "00000000-0000-0000-0000-%012d" % (len(state["calls"]) + 1)
parts = path.split("/")
applications, principals = state["applications"], state["principals"]


def only(rows, found=None):
    found = found or (lambda row: row["id"] == parts[1])
    rows = [row for row in rows if found(row)]
    return rows[0] if rows else fail("Request_ResourceNotFound")


if path == "organization":
    finish({"value": [{"id": state["tenant"], "verifiedDomains": [{"name": "contoso.example"}]}]})
elif path == "applications" and method == "post":
    made = dict(body, id="object-" + identifier, appId=identifier, passwordCredentials=[])
    applications.append(made)
    finish(made)
elif path == "applications":
    name = re.fullmatch("displayName eq '(.*)'", filter_).group(1).replace("''", "'")
    finish({"value": [row for row in applications if row["displayName"] == name]})
elif path.startswith("applications(appId="):
    finish(only(applications, lambda row: row["appId"] == path.split("'")[1]))
elif parts[0] == "applications" and parts[2:] == ["addPassword"]:
    made = dict(body["passwordCredential"], keyId=identifier)
    only(applications)["passwordCredentials"].append(made)
    finish(dict(made, secretText="the~secret~value"))
elif parts[0] == "applications" and method == "patch":
    only(applications).update(body)
    finish(None)
elif parts[0] == "applications":
    finish(only(applications))
elif path == "servicePrincipals" and method == "post":
    made = dict(body, id="principal-" + identifier, roles=[])
    principals.append(made)
    finish(made)
elif path == "servicePrincipals":
    finish({"value": [row for row in principals if "'%s'" % row["appId"] in filter_]})
elif path.startswith("servicePrincipals(appId="):
    finish({"id": "graph"})
elif parts[0] == "servicePrincipals" and method == "post":
    only(principals)["roles"].append(body)
    finish(body)
elif parts[0] == "servicePrincipals":
    finish({"value": only(principals)["roles"]})
elif path == "oauth2PermissionGrants" and method == "post":
    state["grants"].append(dict(body, id="grant-" + identifier))
    finish(body)
elif path == "oauth2PermissionGrants":
    finish({"value": state["grants"]})
elif parts[0] == "oauth2PermissionGrants":
    only(state["grants"]).update(body)
    finish(None)
elif parts[0] == "users":
    if urllib.parse.unquote(parts[1]) != "support@contoso.example":
        fail("Request_ResourceNotFound")
    plan = {"servicePlanName": "EXCHANGE_S_ENTERPRISE", "provisioningStatus": "Success"}
    finish({"value": [{"servicePlans": [plan]}]})
else:
    fail("unexpected request " + method + " " + url)
