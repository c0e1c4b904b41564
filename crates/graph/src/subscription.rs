//! Subscriptions to change notifications.

use http::Method;
use jiff::Timestamp;
use serde_json::json;

use crate::client::GraphClient;
use crate::error::Result;
use crate::path::GraphPath;
use crate::request::{Call, IMMUTABLE_ID};
use crate::retry::Effect;
use crate::wire::subscription::{NewSubscription, Subscription};

impl GraphClient {
    /// Subscribes. Graph calls the notification address before it answers.
    ///
    /// # Errors
    /// `Invalid` with `InvalidRequest` when the address does not answer the validation, `Denied`
    /// without a right to the mailbox, [`crate::Error::is_conflict`] for a second subscription to
    /// the same.
    pub async fn create_subscription(&self, subscription: &NewSubscription) -> Result<Subscription> {
        const OPERATION: &str = "create subscription";
        let url = self.address(OPERATION, &GraphPath::new("subscriptions"))?;
        // The form of the ids in notifications is fixed here, for the subscription's whole life.
        let call = Call::write(OPERATION, Method::POST, url, Effect::Once).prefer(IMMUTABLE_ID);
        self.fetch(&call.json(subscription)?).await
    }

    /// Prolongs a subscription.
    ///
    /// # Errors
    /// `Gone` when it has ended: create another.
    pub async fn renew_subscription(&self, id: &str, until: Timestamp) -> Result<Subscription> {
        const OPERATION: &str = "renew subscription";
        let url = self.address(OPERATION, &GraphPath::new("subscriptions").id(id))?;
        let call = Call::write(OPERATION, Method::PATCH, url, Effect::Idempotent);
        self.fetch(&call.json(&json!({ "expirationDateTime": format!("{until:.0}") }))?)
            .await
    }

    /// Answers the lifecycle notification `reauthorizationRequired` without prolonging.
    ///
    /// # Errors
    /// `Gone` when it has ended.
    pub async fn reauthorize_subscription(&self, id: &str) -> Result<()> {
        const OPERATION: &str = "reauthorize subscription";
        let url = self.address(OPERATION, &GraphPath::new("subscriptions").id(id).then("reauthorize"))?;
        self.perform(&Call::write(OPERATION, Method::POST, url, Effect::Idempotent))
            .await
    }

    /// Ends a subscription; one that has ended already is success.
    ///
    /// # Errors
    /// As for any write.
    pub async fn delete_subscription(&self, id: &str) -> Result<()> {
        self.delete("delete subscription", &GraphPath::new("subscriptions").id(id))
            .await
    }

    /// The application's subscriptions in this tenant.
    ///
    /// # Errors
    /// As for any read.
    pub async fn list_subscriptions(&self) -> Result<Vec<Subscription>> {
        const OPERATION: &str = "list subscriptions";
        let url = self.address(OPERATION, &GraphPath::new("subscriptions"))?;
        self.fetch_all(Call::read(OPERATION, url)).await
    }
}
