//! Thin Microsoft Graph and Entra ID client.
