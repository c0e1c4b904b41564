//! The exported procedure: complete in every format, and a script that can be run twice.

mod azure_cli;
mod texts;

use guichet_domain::AddressRange;
use guichet_setup::{
    Desired, Language,
    export::{Format, export},
};

/// A configuration whose every text has something that a script could stumble over.
fn nasty() -> Desired {
    serde_json::from_value(serde_json::json!({
        "tenant": "contoso.example",
        "application": {
            "name": "-O'Brien ’s \"$HOME\" `id` ${x} %{y} =@z",
            "account_types": "any-organisation",
            "redirect_uri": "https://contoso.example/back?a='b'",
            "secret_description": "@it's $(touch here)",
            "secret_lifetime_days": 90
        },
        "mailboxes": ["support@contoso.example", "o'brien+$x@contoso.example"]
    }))
    .expect("a configuration")
}

fn ranges() -> Vec<AddressRange> {
    vec![
        AddressRange::parse("203.0.113.0/28").expect("a range"),
        AddressRange::parse("198.51.100.7").expect("a range"),
    ]
}

fn exported(format: Format, language: Language) -> String {
    export(&nasty(), &ranges(), format, language).expect("it is exported")
}
