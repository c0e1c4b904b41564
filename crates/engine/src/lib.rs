//! Long-running work: sync rounds, subscriptions, delivery.
