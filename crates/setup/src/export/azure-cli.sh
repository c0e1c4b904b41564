#!/usr/bin/env bash
# @@#purpose@@
# @@#again@@
#
# @@#before@@
#   az login --allow-no-subscriptions --tenant @@tenant@@
# @@#options@@
#   --listed      @@#option-listed@@
#   --new-secret  @@#option-secret@@
set -euo pipefail

TENANT=@@tenant@@
AUTHORITY=@@authority@@
GRAPH=@@graph@@
NAME=@@name@@
AUDIENCE=@@audience@@
REDIRECT=@@redirect@@
SECRET_DESCRIPTION=@@secret-description@@
SECRET_DAYS=@@secret-days@@
MICROSOFT_GRAPH=@@microsoft-graph@@
MAIL_ROLES=(@@mail-roles@@)
USER_READ=@@user-read-id@@
MAILBOXES=(@@mailboxes@@)
# @@#bodies@@
NAMED=@@named@@
APPLICATION=@@application@@
PERMISSIONS=(@@permission-ids@@)
MERGED=@@merged@@

LISTED=no
NEW_SECRET=no
for option in "$@"; do
  case $option in
    --listed) LISTED=yes ;;
    --new-secret) NEW_SECRET=yes ;;
    *) printf '%s %s\n' @@unknown-option@@ "$option" >&2; exit 2 ;;
  esac
done

say() { printf '%s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }
graph() { az rest --resource "$GRAPH" --method "$1" --url "$GRAPH/v1.0/$2" "${@:3}"; }
has_line() { grep -qixF -- "$1" <<<"$2"; }
# @@#patience@@
patiently() {
  local tries
  for tries in 1 2 3 4 5 6 7 8 9; do
    if "$@" 2>/dev/null; then return; fi
    sleep "${GUICHET_PAUSE:-10}"
  done
  "$@"
}

# @@#step-tenant@@
cloud=$(az cloud show --query endpoints.microsoftGraphResourceId -o tsv)
[ "${cloud%/}" = "$GRAPH" ] || stop @@wrong-cloud@@ "$cloud / $GRAPH"
TENANT_ID=$(graph get 'organization?$select=id' --query 'value[0].id' -o tsv)
known=$(graph get 'organization?$select=id,verifiedDomains' --query 'value[].verifiedDomains[].name' -o tsv)
has_line "$TENANT" "$TENANT_ID"$'\n'"$known" || stop @@wrong-tenant@@ "$TENANT_ID / $TENANT"

# @@#step-application@@
APP_ID=$(graph get "applications?$NAMED" --query 'value[].appId' -o tsv)
case $APP_ID in
  *$'\n'*) stop @@ambiguous@@ "$APP_ID" ;;
  '')
    APP_ID=$(graph post applications --body "$APPLICATION" --query appId -o tsv)
    say "+" @@application-created@@ "$APP_ID"
    ;;
  *) say "=" @@application-found@@ "$APP_ID" ;;
esac
OBJECT_ID=$(patiently graph get "applications(appId='$APP_ID')?\$select=id" --query id -o tsv)
audience=$(patiently graph get "applications/$OBJECT_ID" --query signInAudience -o tsv)
redirects=$(patiently graph get "applications/$OBJECT_ID" --query 'web.redirectUris[]' -o tsv)
asked=$(patiently graph get "applications/$OBJECT_ID" \
  --query "requiredResourceAccess[?resourceAppId=='$MICROSOFT_GRAPH'].resourceAccess[].id" -o tsv)
complete=yes
[ "$audience" = "$AUDIENCE" ] || complete=no
grep -qxF -- "$REDIRECT" <<<"$redirects" || complete=no
for id in "${PERMISSIONS[@]}"; do has_line "$id" "$asked" || complete=no; done
if [ "$complete" = no ]; then
  # @@#merge@@
  body=$(graph get "applications/$OBJECT_ID" --query "$MERGED" -o json)
  at='\u0040'
  body=${body//@/"$at"}
  graph patch "applications/$OBJECT_ID" --body "$body" -o none
  say "~" @@application-corrected@@
fi

# @@#step-principal@@
principal() { graph get "servicePrincipals?\$filter=appId%20eq%20'$APP_ID'&\$select=id" --query 'value[].id' -o tsv; }
PRINCIPAL=$(principal)
if [ -z "$PRINCIPAL" ]; then
  PRINCIPAL=$(patiently graph post servicePrincipals --body "{\"appId\":\"$APP_ID\"}" --query id -o tsv)
  say "+" @@principal-created@@ "$PRINCIPAL"
fi

# @@#step-consent@@
RESOURCE=$(graph get "servicePrincipals(appId='$MICROSOFT_GRAPH')?\$select=id" --query id -o tsv)
granted=$(patiently graph get "servicePrincipals/$PRINCIPAL/appRoleAssignments?\$top=999" \
  --query "value[?resourceId=='$RESOURCE'].appRoleId" -o tsv)
for role in "${MAIL_ROLES[@]}"; do
  if [ "$LISTED" = yes ]; then
    ! has_line "$role" "$granted" || say "!" @@union@@
  elif ! has_line "$role" "$granted"; then
    patiently graph post "servicePrincipals/$PRINCIPAL/appRoleAssignments" -o none \
      --body "{\"principalId\":\"$PRINCIPAL\",\"resourceId\":\"$RESOURCE\",\"appRoleId\":\"$role\"}"
    say "+" @@granted@@ "$role"
  fi
done
grants="oauth2PermissionGrants?\$filter=clientId%20eq%20'$PRINCIPAL'%20and%20consentType%20eq%20'AllPrincipals'"
only="value[?resourceId=='$RESOURCE']"
GRANT=$(graph get "$grants" --query "$only | [0].id" -o tsv)
if [ -z "$GRANT" ]; then
  patiently graph post oauth2PermissionGrants -o none --body \
    "{\"clientId\":\"$PRINCIPAL\",\"consentType\":\"AllPrincipals\",\"resourceId\":\"$RESOURCE\",\"scope\":\"User.Read\"}"
  say "+" @@granted@@ User.Read
else
  scope=$(graph get "$grants" --query "$only | [0].scope" -o tsv)
  case " $scope " in
    *" User.Read "*) ;;
    *)
      graph patch "oauth2PermissionGrants/$GRANT" --body "{\"scope\":\"${scope:+$scope }User.Read\"}" -o none
      say "+" @@granted@@ User.Read
      ;;
  esac
fi

# @@#step-mailboxes@@
plans="value[].servicePlans[] | [?provisioningStatus=='Success'].servicePlanName"
for mailbox in ${MAILBOXES[@]+"${MAILBOXES[@]}"}; do
  if ! names=$(graph get "users/$mailbox/licenseDetails" --query "$plans" -o tsv); then
    say "!" @@mailbox-unseen@@ "${mailbox//%40/@}"
  elif ! grep -v '^EXCHANGE_S_FOUNDATION$' <<<"$names" | grep -q '^EXCHANGE_S_'; then
    say "!" @@mailbox-unlicensed@@ "${mailbox//%40/@}"
  fi
done

# @@#step-exchange@@
say "→" @@exchange-elsewhere@@ 'guichet connect export --format powershell  (-ExchangeOnly)'

# @@#step-secret@@
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
usable=no
secrets=$(graph get "applications/$OBJECT_ID" --query 'passwordCredentials[].[endDateTime,displayName]' -o tsv)
while IFS=$'\t' read -r ends description; do
  if [ "$description" = "$SECRET_DESCRIPTION" ] && [[ $ends > $now ]]; then usable=yes; fi
done <<<"$secrets"
if [ "$usable" = yes ] && [ "$NEW_SECRET" = no ]; then
  say "=" @@secret-there@@
  exit 0
fi
ends=$(date -u -d "+$SECRET_DAYS days" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null ||
  date -u -v "+${SECRET_DAYS}d" +%Y-%m-%dT%H:%M:%SZ)
made=$(graph post "applications/$OBJECT_ID/addPassword" \
  --body @@add-password@@"$ends"'"}}' --query '[keyId,secretText]' -o tsv)
say "+" @@secret-created@@
printf '%s: %s\n' @@label-app@@ "$APP_ID" @@label-tenant@@ "$TENANT_ID" \
  @@label-endpoint@@ "$AUTHORITY/$TENANT_ID/oauth2/v2.0/token" \
  @@label-key@@ "${made%%$'\n'*}" @@label-expires@@ "$ends" @@label-value@@ "${made#*$'\n'}"
say @@copy-value@@
