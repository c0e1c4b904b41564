//! How a command ends: documented exit codes, and one clear error that names the thing and the fix.

use miette::{LabeledSpan, NamedSource, Report, miette};

/// Exit codes of every command. They are listed in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Success,
    /// 1: the command ran and what it looked at is not right (a finding of severity error, a failed
    /// check of the demo, nothing found).
    NotRight,
    /// 3: the configuration is wrong. (2 is the command line's own code for wrong usage.)
    Configuration,
    /// 4: a service can't be reached.
    Unreachable,
    /// 5: a service refused us: wrong credential, missing permission.
    Refused,
    /// 6: something on this machine is in the way: port, file, database, disk.
    Local,
    /// 70: a defect in Guichet.
    Internal,
}

impl Exit {
    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::NotRight => 1,
            Self::Configuration => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
            Self::Local => 6,
            Self::Internal => 70,
        }
    }
}

/// A command's failure.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong, naming the thing.
    pub title: String,
    /// What to do about it.
    pub fix: String,
    place: Option<Box<Place>>,
}

/// Where in a file the error stands.
#[derive(Debug)]
struct Place {
    file: String,
    text: String,
    span: std::ops::Range<usize>,
    label: String,
}

impl Failure {
    /// A failure with its fix.
    pub fn new(exit: Exit, title: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            exit,
            title: title.into(),
            fix: fix.into(),
            place: None,
        }
    }

    /// Points into the file where the error stands.
    #[must_use]
    pub fn at(mut self, file: &str, text: &str, span: std::ops::Range<usize>, label: &str) -> Self {
        self.place = Some(Box::new(Place {
            file: file.to_owned(),
            text: text.to_owned(),
            span,
            label: label.to_owned(),
        }));
        self
    }

    /// Prints the failure to stderr.
    pub fn print(&self) {
        eprintln!("{:?}", self.report());
    }

    fn report(&self) -> Report {
        let labels: Vec<LabeledSpan> = self
            .place
            .iter()
            .map(|p| LabeledSpan::at(p.span.clone(), p.label.clone()))
            .collect();
        let report = if self.fix.is_empty() {
            miette!(labels = labels, "{}", self.title)
        } else {
            miette!(labels = labels, help = self.fix.clone(), "{}", self.title)
        };
        match &self.place {
            Some(place) => report.with_source_code(NamedSource::new(&place.file, place.text.clone())),
            None => report,
        }
    }
}

impl From<guichet_store::Error> for Failure {
    fn from(error: guichet_store::Error) -> Self {
        Self::new(Exit::Local, error.to_string(), "")
    }
}

impl From<guichet_graph::Error> for Failure {
    fn from(error: guichet_graph::Error) -> Self {
        use guichet_graph::Class;
        let (exit, fix) = match error.class {
            Class::Retry { .. } => (Exit::Unreachable, "check the address and the network, then try again"),
            Class::Reauthorise | Class::Denied => (Exit::Refused, "run `guichet doctor` for the cause and the fix"),
            Class::Resync | Class::Gone | Class::Invalid => (Exit::NotRight, "run `guichet doctor` for the cause"),
            Class::Bug => (Exit::Internal, "please report this with the request id"),
        };
        Self::new(exit, error.to_string(), fix)
    }
}
