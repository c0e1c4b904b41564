//! How a cmdlet fails, and how the admin interface shows it.
//!
//! Owns the error document of `InvokeCommand`: the outer text is always "Invalid Operation", the cause stands in
//! `details` and in the inner exception (contract §7).

use http::StatusCode;
use serde_json::{Value, json};

/// A failed cmdlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status.
    pub status: StatusCode,
    /// Code of the outer error.
    pub code: &'static str,
    /// Exchange's exception.
    pub exception: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, exception: &'static str, message: String) -> Self {
        Self {
            status,
            code,
            exception,
            message,
        }
    }

    /// Nothing has that identity.
    #[must_use]
    pub fn not_found(identity: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
            format!(
                "The operation couldn't be performed because object '{identity}' couldn't be found on 'AM0PR01A001DC01.EURPR01A001.PROD.OUTLOOK.COM'."
            ),
        )
    }

    /// Several things have that identity.
    #[must_use]
    pub fn ambiguous(identity: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException",
            format!("The operation couldn't be performed because '{identity}' matches multiple entries."),
        )
    }

    /// It exists already.
    #[must_use]
    pub fn exists(message: String) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            message,
        )
    }

    /// The request contradicts itself or a rule.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "Microsoft.Exchange.Configuration.Tasks.TaskException",
            message.into(),
        )
    }

    /// A parameter is missing, unknown or of the wrong type.
    #[must_use]
    pub fn binding(message: String) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "System.Management.Automation.ParameterBindingException",
            message,
        )
    }

    /// Exchange has no such cmdlet.
    #[must_use]
    pub fn unknown_cmdlet(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "System.Management.Automation.CommandNotFoundException",
            format!(
                "The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
            ),
        )
    }

    /// Exchange can, the sandbox cannot.
    #[must_use]
    pub fn unsupported(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "System.NotImplementedException",
            format!("The sandbox does not support {what}."),
        )
    }

    /// The error document.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "error": {
                "code": self.code,
                "message": "Invalid Operation",
                "details": [{
                    "code": "Context",
                    "target": "",
                    "message": format!("Ex6F9304|{}|{}", self.exception, self.message),
                }],
                "innererror": {
                    "message": "Invalid Operation",
                    "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                    "stacktrace": "",
                    "internalexception": {"message": self.message, "type": self.exception, "stacktrace": ""},
                },
            },
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": [],
        })
    }
}
