# @@#purpose@@
# @@#again-terraform@@
#
# @@#before-terraform@@
#   az login --allow-no-subscriptions --tenant @@tenant-comment@@
#   terraform init && terraform apply
# @@#adopt@@
#   terraform import azuread_application.guichet /applications/OBJECT_ID

terraform {
  required_version = ">= 1.3"
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = ">= 3.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.9"
    }
  }
}

variable "listed" {
  description = @@option-listed@@
  type        = bool
  default     = false
}

variable "tenant_id" {
  description = @@label-tenant@@
  type        = string@@tenant-default@@
}

provider "azuread" {
  tenant_id   = var.tenant_id
  environment = @@environment@@
}

locals {
  mail_roles = {
    "Mail.ReadWrite" = @@mail-read-write-id@@
    "Mail.Send"      = @@mail-send-id@@
  }
  mailboxes = [@@mailboxes@@]
}

data "azuread_service_principal" "graph" {
  client_id = @@microsoft-graph@@
}

# @@#step-application@@
# @@#slash@@
resource "azuread_application" "guichet" {
  display_name     = @@name@@
  sign_in_audience = @@audience@@

  web {
    redirect_uris = [@@redirect@@]
  }

  required_resource_access {
    resource_app_id = @@microsoft-graph@@

    dynamic "resource_access" {
      for_each = local.mail_roles
      content {
        id   = resource_access.value
        type = "Role"
      }
    }

    resource_access {
      id   = @@user-read-id@@
      type = "Scope"
    }
  }
}

# @@#step-principal@@
resource "azuread_service_principal" "guichet" {
  client_id = azuread_application.guichet.client_id
}

# @@#step-consent@@
resource "azuread_app_role_assignment" "mail" {
  for_each            = var.listed ? {} : local.mail_roles
  app_role_id         = each.value
  principal_object_id = azuread_service_principal.guichet.object_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}

resource "azuread_service_principal_delegated_permission_grant" "user_read" {
  service_principal_object_id          = azuread_service_principal.guichet.object_id
  resource_service_principal_object_id = data.azuread_service_principal.graph.object_id
  claim_values                         = ["User.Read"]
}

# @@#step-mailboxes@@
# @@#mailboxes-terraform@@
data "azuread_users" "mailboxes" {
  user_principal_names = local.mailboxes
  ignore_missing       = true
}

output "mailboxes_not_found" {
  value = setsubtract(local.mailboxes, [for name in data.azuread_users.mailboxes.user_principal_names : lower(name)])
}

# @@#step-secret@@
# @@#secret-terraform@@
resource "time_offset" "secret" {
  offset_days = @@secret-days@@
}

resource "azuread_application_password" "guichet" {
  application_id = azuread_application.guichet.id
  display_name   = @@secret-description@@
  end_date       = time_offset.secret.rfc3339
}

output "application_id" {
  description = @@label-app@@
  value       = azuread_application.guichet.client_id
}

output "tenant_id" {
  description = @@label-tenant@@
  value       = var.tenant_id
}

output "token_endpoint" {
  description = @@label-endpoint@@
  value       = "${@@authority@@}/${var.tenant_id}/oauth2/v2.0/token"
}

output "secret_id" {
  description = @@label-key@@
  value       = azuread_application_password.guichet.key_id
}

# terraform output -raw secret_value
# @@#copy-value@@
output "secret_value" {
  description = @@label-value@@
  value       = azuread_application_password.guichet.value
  sensitive   = true
}

# @@#step-exchange@@
# @@#exchange-terraform@@
#   guichet connect export --format powershell   (-ExchangeOnly, -Listed)
