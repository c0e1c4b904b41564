//! Faults that once had an effect on the outcome, each alone.

use guichet_sim::{Order, Scenario, Troubles, run};

/// Runs some seeds in which nothing but this goes wrong.
fn holds_under(orders: &'static [Order]) {
    let mut replies = 0;
    for seed in 0..8 {
        let scenario = Scenario {
            troubles: Troubles::None,
            orders,
            ..Scenario::storm(seed)
        };
        let report = run(&scenario).unwrap_or_else(|failure| panic!("{failure}"));
        replies += report.replies;
    }
    assert!(replies > 0, "nobody replied");
}

/// From the beginning.
const fn fault(body: &'static str) -> Order {
    let path = "/faults";
    Order { at: 0, path, body }
}

#[test]
fn attachment_that_was_taken_with_a_refusal_leaves_once() {
    holds_under(
        const {
            &[fault(
                r#"{"path_contains": "/attachments", "method": "POST", "times": 0, "probability": 0.5, "seed": 1,
            "action": {"kind": "status", "status": 503, "retry_after": 2, "after_effect": true}}"#,
            )]
        },
    );
}

#[test]
fn sign_in_that_answers_nonsense_ends_no_job() {
    holds_under(
        const {
            &[fault(
                r#"{"path_contains": "token", "times": 0, "probability": 0.7, "seed": 1,
            "action": {"kind": "status", "status": 401, "body": "<html>proxy</html>"}}"#,
            )]
        },
    );
}

#[test]
fn unreadable_answer_to_a_look_ends_no_reply() {
    holds_under(
        const {
            &[fault(
                r#"{"path_contains": "isdraft", "times": 0, "probability": 0.4, "seed": 1, "action": {"kind": "garbage"}}"#,
            )]
        },
    );
}

#[test]
fn unreadable_answer_about_a_new_draft_ends_no_reply() {
    holds_under(
        const {
            &[fault(
                r#"{"path_contains": "createreply", "times": 0, "probability": 0.4, "seed": 1, "action": {"kind": "garbage"}}"#,
            )]
        },
    );
}

#[test]
fn stored_link_that_is_refused_now_and_then_loses_no_mail() {
    holds_under(
        const {
            &[fault(
                r#"{"path_contains": "deltatoken", "times": 0, "probability": 0.4, "seed": 1,
            "action": {"kind": "status", "status": 400}}"#,
            )]
        },
    );
}

#[test]
fn subscription_whose_removal_nobody_was_told_of_is_replaced() {
    holds_under(
        const {
            &[
                Order {
                    at: 0,
                    path: "/notifications/faults",
                    body: r#"{"event": "subscriptionRemoved", "times": 0, "action": {"kind": "lose"}}"#,
                },
                Order {
                    at: 30,
                    path: "/notifications/lifecycle",
                    body: r#"{"event": "subscriptionRemoved"}"#,
                },
            ]
        },
    );
}
