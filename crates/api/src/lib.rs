//! HTTP: REST and OpenAPI, authentication, notifications, events.
