//! What the answer to a batch decides.
//!
//! A batch is only a cheaper way to do what single requests do. It never blames a mail: whatever did not come out as
//! wanted is asked for singly, and that answer counts.

use guichet_graph::{Class, Error};

/// The outcome of each of `calls` calls; `None` for those to be made singly. `is_final` names failures that another
/// request would only repeat. The server's word to come back later is final too: a single request at once would not
/// heed it.
pub(crate) fn outcomes<T: Clone>(
    answer: Result<Vec<Result<T, Error>>, Error>,
    calls: usize,
    is_final: impl Fn(&Error) -> bool,
) -> Vec<Option<Result<T, Error>>> {
    let decided = |outcome: Result<T, Error>| match outcome {
        Err(error) if !is_throttled(&error) && !is_final(&error) => {
            tracing::debug!(code = %error.code, "not had from a batch; asked for singly");
            None
        }
        outcome => Some(outcome),
    };
    match answer {
        Ok(outcomes) => outcomes.into_iter().map(decided).collect(),
        Err(error) if is_throttled(&error) => vec![Some(Err(error)); calls],
        Err(error) => {
            tracing::debug!(code = %error.code, "a batch failed; its calls are made singly");
            vec![None; calls]
        }
    }
}

/// Whether the server asked to slow down.
fn is_throttled(error: &Error) -> bool {
    matches!(error.class, Class::Retry { .. }) && error.status == Some(429)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: Class) -> Error {
        Error::new(class, "test", "x", "")
    }

    #[test]
    fn only_what_was_done_and_what_is_final_is_an_answer_about_a_mail() {
        let answers = || Ok(vec![Ok(1), Err(error(Class::Gone)), Err(error(Class::Bug))]);
        let decided =
            |outcomes: Vec<Option<Result<i32, Error>>>| outcomes.iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(decided(outcomes(answers(), 3, |_| false)), [true, false, false]);
        let gone = |error: &Error| error.class == Class::Gone;
        assert_eq!(decided(outcomes(answers(), 3, gone)), [true, true, false]);
    }

    #[test]
    fn a_batch_that_fails_as_a_whole_blames_no_call() {
        for class in [Class::Gone, Class::Bug, Class::Invalid] {
            let failed: Vec<Option<Result<i32, Error>>> = outcomes(Err(error(class)), 2, |_| true);
            assert!(failed.iter().all(Option::is_none) && failed.len() == 2);
        }
    }
}
