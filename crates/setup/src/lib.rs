//! Desired state, observation, plan, apply, findings.
