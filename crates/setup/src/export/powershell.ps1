#Requires -Version 7.2
#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications, Microsoft.Graph.Users
#Requires -Modules Microsoft.Graph.Identity.SignIns, Microsoft.Graph.Identity.DirectoryManagement
#Requires -Modules ExchangeOnlineManagement
# @@#purpose@@
# @@#again@@
#
# @@#before@@
#   Install-Module Microsoft.Graph, ExchangeOnlineManagement -Scope CurrentUser
# @@#options@@
#   -Listed        @@#option-listed@@
#   -NewSecret     @@#option-secret@@
#   -ExchangeOnly  @@#option-exchange@@
[CmdletBinding()]
param([switch]$Listed, [switch]$NewSecret, [switch]$ExchangeOnly)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$Tenant = @@tenant@@
$Authority = @@authority@@
$Graph = @@graph@@
$Name = @@name@@
$NameFilter = @@name-filter@@
$Audience = @@audience@@
$Redirect = @@redirect@@
$SecretDescription = @@secret-description@@
$SecretDays = @@secret-days@@
$MicrosoftGraph = @@microsoft-graph@@
$MailRoles = @(@@mail-roles@@)
$UserRead = @@user-read-id@@
$Mailboxes = @(@@mailboxes@@)
$Scope = @@scope-name@@
# @@#ranges@@
$AllowList = @(@@ranges@@)

# @@#patience@@
function Invoke-Patiently([scriptblock]$Action) {
    for ($try = 1; $try -lt 10; $try++) {
        try { return & $Action } catch { Start-Sleep -Seconds 10 }
    }
    & $Action
}

# @@#step-tenant@@
$environment = Get-MgEnvironment | Where-Object { $_.GraphEndpoint.TrimEnd('/') -eq $Graph } | Select-Object -First 1
if (-not $environment) { throw @@no-environment@@ + ' ' + $Graph }
$scopes = @('Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All',
    'Organization.Read.All', 'User.Read.All')
if ($ExchangeOnly) { $scopes = @('Application.Read.All', 'Organization.Read.All') }
Connect-MgGraph -TenantId $Tenant -Environment $environment.Name -Scopes $scopes -NoWelcome
$organization = Get-MgOrganization | Select-Object -First 1
if ($Tenant -notin (@($organization.Id) + @($organization.VerifiedDomains.Name))) {
    throw @@wrong-tenant@@ + " $($organization.Id) / $Tenant"
}

# @@#step-application@@
$found = @(Get-MgApplication -Filter $NameFilter -All)
if ($found.Count -gt 1) { throw @@ambiguous@@ + ' ' + ($found.AppId -join ', ') }
$application = $found | Select-Object -First 1
$wanted = @($MailRoles | ForEach-Object { @{ Id = $_; Type = 'Role' } }) + @(@{ Id = $UserRead; Type = 'Scope' })
if (-not $application) {
    if ($ExchangeOnly) { throw @@no-application@@ + ' ' + $Name }
    $application = New-MgApplication -DisplayName $Name -SignInAudience $Audience -Web @{ RedirectUris = @($Redirect) } `
        -RequiredResourceAccess @(@{ ResourceAppId = $MicrosoftGraph; ResourceAccess = $wanted })
    Write-Host '+' @@application-created@@ $application.AppId
}
elseif (-not $ExchangeOnly) {
    Write-Host '=' @@application-found@@ $application.AppId
    # @@#merge@@
    $change = @{}
    if ($application.SignInAudience -ne $Audience) { $change.SignInAudience = $Audience }
    $redirects = @($application.Web.RedirectUris | Where-Object { $_ })
    if ($Redirect -notin $redirects) { $change.Web = @{ RedirectUris = $redirects + $Redirect } }
    $others = @($application.RequiredResourceAccess | Where-Object { $_ -and $_.ResourceAppId -ne $MicrosoftGraph })
    $asked = @($application.RequiredResourceAccess | Where-Object { $_ -and $_.ResourceAppId -eq $MicrosoftGraph } |
            ForEach-Object { $_.ResourceAccess })
    $askedIds = @($asked | ForEach-Object { "$($_.Id)" })
    $missing = @($wanted | Where-Object { $_.Id -notin $askedIds })
    if ($missing) {
        $kept = @($asked | ForEach-Object { @{ Id = "$($_.Id)"; Type = $_.Type } })
        $change.RequiredResourceAccess = @($others) +
        @(@{ ResourceAppId = $MicrosoftGraph; ResourceAccess = $kept + $missing })
    }
    if ($change.Count) {
        Update-MgApplication -ApplicationId $application.Id @change
        Write-Host '~' @@application-corrected@@
    }
}

# @@#step-principal@@
$principal = Get-MgServicePrincipal -Filter "appId eq '$($application.AppId)'" | Select-Object -First 1
if (-not $principal) {
    $principal = Invoke-Patiently { New-MgServicePrincipal -AppId $application.AppId }
    Write-Host '+' @@principal-created@@ $principal.Id
}

# @@#step-consent@@
$resource = Get-MgServicePrincipal -Filter "appId eq '$MicrosoftGraph'" | Select-Object -First 1
$granted = @(Invoke-Patiently { Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -All } |
        Where-Object { $_ -and $_.ResourceId -eq $resource.Id } | ForEach-Object { "$($_.AppRoleId)" })
foreach ($role in $MailRoles) {
    if ($Listed) {
        if ($role -in $granted) { Write-Warning @@union@@ }
    }
    elseif (-not $ExchangeOnly -and $role -notin $granted) {
        Invoke-Patiently {
            New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -PrincipalId $principal.Id `
                -ResourceId $resource.Id -AppRoleId $role
        } | Out-Null
        Write-Host '+' @@granted@@ $role
    }
}
if (-not $ExchangeOnly) {
    $grant = Get-MgOauth2PermissionGrant -Filter "clientId eq '$($principal.Id)' and consentType eq 'AllPrincipals'" -All |
        Where-Object { $_.ResourceId -eq $resource.Id } | Select-Object -First 1
    if (-not $grant) {
        Invoke-Patiently {
            New-MgOauth2PermissionGrant -ClientId $principal.Id -ConsentType AllPrincipals -ResourceId $resource.Id `
                -Scope 'User.Read'
        } | Out-Null
        Write-Host '+' @@granted@@ 'User.Read'
    }
    elseif ('User.Read' -notin $grant.Scope.Trim().Split(' ')) {
        Update-MgOauth2PermissionGrant -OAuth2PermissionGrantId $grant.Id -Scope "$($grant.Scope) User.Read".Trim()
        Write-Host '+' @@granted@@ 'User.Read'
    }

    # @@#step-mailboxes@@
    foreach ($mailbox in $Mailboxes) {
        try { $plans = @((Get-MgUserLicenseDetail -UserId $mailbox -All).ServicePlans) }
        catch { Write-Warning (@@mailbox-unseen@@ + ' ' + $mailbox); continue }
        $exchange = @($plans | Where-Object {
                $_ -and $_.ProvisioningStatus -eq 'Success' -and $_.ServicePlanName -like 'EXCHANGE_S_*' -and
                $_.ServicePlanName -ne 'EXCHANGE_S_FOUNDATION'
            })
        if (-not $exchange) { Write-Warning (@@mailbox-unlicensed@@ + ' ' + $mailbox) }
    }

    # @@#step-secret@@
    $now = [DateTime]::UtcNow
    $usable = @((Get-MgApplication -ApplicationId $application.Id).PasswordCredentials |
            Where-Object { $_ -and $_.DisplayName -eq $SecretDescription -and $_.EndDateTime -gt $now })
    if ($usable -and -not $NewSecret) { Write-Host '=' @@secret-there@@ }
    else {
        $secret = Add-MgApplicationPassword -ApplicationId $application.Id -PasswordCredential @{
            DisplayName = $SecretDescription; EndDateTime = $now.AddDays($SecretDays)
        }
        Write-Host '+' @@secret-created@@
        [ordered]@{
            @@label-app@@ = $application.AppId
            @@label-tenant@@ = $organization.Id
            @@label-endpoint@@ = "$Authority/$($organization.Id)/oauth2/v2.0/token"
            @@label-key@@ = "$($secret.KeyId)"
            @@label-expires@@ = $secret.EndDateTime
            @@label-value@@ = $secret.SecretText
        }.GetEnumerator() | ForEach-Object { "$($_.Key): $($_.Value)" }
        Write-Host @@copy-value@@
    }
}

# @@#step-exchange@@
$exchangeEnvironment = @{
    Global = 'O365Default'; USGov = 'O365USGovGCCHigh'; USGovDoD = 'O365USGovDoD'; China = 'O365China'
}[$environment.Name]
Connect-ExchangeOnline -ShowBanner:$false -ExchangeEnvironmentName ($exchangeEnvironment ?? 'O365Default')

# @@#step-policies@@
$policies = @(Get-ApplicationAccessPolicy | Where-Object { $_.AppId -eq $application.AppId })
if ($policies) {
    Write-Warning @@policies-found@@
    $policies | Format-Table Identity, AccessRight, ScopeName
    foreach ($mailbox in $Mailboxes) { Test-ApplicationAccessPolicy -Identity $mailbox -AppId $application.AppId }
}

if ($Listed) {
    # @@#step-listed@@
    if (-not (Get-ServicePrincipal | Where-Object { $_.AppId -eq $application.AppId })) {
        New-ServicePrincipal -AppId $application.AppId -ObjectId $principal.Id -DisplayName $Name | Out-Null
    }
    $group = Get-DistributionGroup -Filter @@group-filter@@ | Select-Object -First 1
    if (-not $group) { $group = New-DistributionGroup -Name $Scope -Type Security }
    $members = @(Get-DistributionGroupMember -Identity $group.DistinguishedName -ResultSize Unlimited |
            ForEach-Object { "$($_.PrimarySmtpAddress)" })
    foreach ($mailbox in @($Mailboxes | Where-Object { $_ -notin $members })) {
        Add-DistributionGroupMember -Identity $group.DistinguishedName -Member $mailbox
    }
    foreach ($member in @($members | Where-Object { $_ -notin $Mailboxes })) {
        Write-Warning (@@member-unlisted@@ + ' ' + $member)
    }
    if (-not (Get-ManagementScope | Where-Object { $_.Name -eq $Scope })) {
        $dn = $group.DistinguishedName.Replace("'", "''")
        New-ManagementScope -Name $Scope -RecipientRestrictionFilter "MemberOfGroup -eq '$dn'" | Out-Null
    }
    foreach ($role in @('Mail.ReadWrite', 'Mail.Send')) {
        $assignment = "Guichet $($application.AppId) $role"
        if (-not (Get-ManagementRoleAssignment | Where-Object { $_.Name -eq $assignment })) {
            New-ManagementRoleAssignment -Name $assignment -App $principal.Id -Role "Application $role" `
                -CustomResourceScope $Scope | Out-Null
            Write-Host '+' @@granted@@ "Application $role"
        }
    }
    # @@#test-listed@@
    foreach ($mailbox in $Mailboxes) {
        Test-ServicePrincipalAuthorization -Identity $application.AppId -Resource $mailbox |
            Format-Table RoleName, AllowedResourceScope, InScope
    }
}

# @@#step-ranges@@
if ($AllowList) {
    $present = @((Get-HostedConnectionFilterPolicy -Identity Default).IPAllowList | ForEach-Object { "$_" })
    $add = @($AllowList | Where-Object { $_ -notin $present })
    if ($present.Count + $add.Count -gt @@most-entries@@) { throw @@too-many-ranges@@ }
    if ($add) {
        Set-HostedConnectionFilterPolicy -Identity Default -IPAllowList @{ Add = $add }
        Write-Host '+' @@ranges-added@@ ($add -join ', ')
    }
}

# @@#step-report@@
[ordered]@{
    guichet_exchange_report = 1
    application_id = "$($application.AppId)"
    made_at = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    forwarding = @(foreach ($mailbox in $Mailboxes) {
            Get-Mailbox -Identity $mailbox | Where-Object { $_.ForwardingSmtpAddress -or $_.ForwardingAddress } |
                ForEach-Object {
                    [ordered]@{
                        address = $mailbox
                        to = "$($_.ForwardingSmtpAddress ?? $_.ForwardingAddress)"
                        keeps_copy = [bool]$_.DeliverToMailboxAndForward
                    }
                }
        })
    allow_list = @((Get-HostedConnectionFilterPolicy -Identity Default).IPAllowList | ForEach-Object { "$_" })
} | ConvertTo-Json | Set-Content -Path 'guichet-exchange.json' -Encoding utf8
Write-Host @@report-written@@
