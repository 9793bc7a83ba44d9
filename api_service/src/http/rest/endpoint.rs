//! One row of the route table: all that is said about an operation, to the server that routes to it
//! and to the document that describes it.

use actix_web::guard;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::web;
use actix_web::{FromRequest, Handler, Responder, Route};
use utoipa::openapi::Ref;
use utoipa::openapi::path::Parameter;

use super::schemas::Schemas;
use crate::domain::scope::Access;
use crate::http::failure::Code;
use crate::http::middleware::authorize;

/// Notes a schema among those of the document, and refers to it.
pub(super) type Schema = fn(&mut Schemas) -> Ref;

/// One row.
pub struct Endpoint {
    /// The method. A GET answers to HEAD, too.
    pub method: Method,
    /// The whole path, with its parameters.
    pub path: &'static str,
    /// What it asks of its callers.
    pub access: Access,
    /// What generated clients call it; no other row has the same.
    pub id: &'static str,
    pub(super) tag: Tag,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<fn() -> Vec<Parameter>>,
    pub(super) takes: Takes,
    pub(super) gives: Vec<Answer>,
    pub(super) errors: Vec<Code>,
    route: Box<dyn Fn() -> Route>,
}

/// What the document files a row under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Credentials,
    Run,
    Sessions,
    Processes,
    Files,
    Operator,
    Public,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    Nothing,
    Json(Schema),
    /// The same fields either way; a schema for each, so that generated clients have a type for each.
    FormOrJson {
        form: Schema,
        json: Schema,
    },
    /// Whatever it is, handed on while it comes.
    Bytes,
    /// An archive of tar's.
    Archive,
    /// A form whose parts are files.
    Form,
}

/// An answer that is no failure.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) content: Content,
}

/// The body of an answer.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    Json(Schema),
    /// JSON that has a specification of its own.
    AnyJson,
    /// Events as they happen.
    Events,
    /// JSON, or events as they happen for those who ask for them.
    JsonOrEvents(Schema),
    /// All of an output, or a part of it.
    Output,
    /// All of a file, or a part of it.
    File,
    /// An archive of tar's.
    Archive,
}

/// A row without its handler.
pub(super) struct Draft(Endpoint);

impl Tag {
    pub(super) const ALL: [Self; 7] = [
        Self::Credentials,
        Self::Run,
        Self::Sessions,
        Self::Processes,
        Self::Files,
        Self::Operator,
        Self::Public,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Run => "run",
            Self::Sessions => "sessions",
            Self::Processes => "processes",
            Self::Files => "files",
            Self::Operator => "operator",
            Self::Public => "public",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Credentials => "Sign-in, users, API keys",
            Self::Run => "Running code",
            Self::Sessions => "Sandboxes whose state lives on between runs",
            Self::Processes => "Commands in sessions, and their terminals",
            Self::Files => "Files in the workspace of a session",
            Self::Operator => "What is for administrators alone",
            Self::Public => "What anybody may ask",
        }
    }
}

/// Begins a row.
pub(super) fn row(
    method: Method,
    path: &'static str,
    access: Access,
    tag: Tag,
    id: &'static str,
    summary: &'static str,
) -> Draft {
    // Anything but a constant answer can find something broken on our side.
    let errors = vec![Code::Internal];
    Draft(Endpoint {
        method,
        path,
        access,
        id,
        tag,
        summary,
        description: "",
        parameters: Vec::new(),
        takes: Takes::Nothing,
        gives: Vec::new(),
        errors,
        route: Box::new(web::route),
    })
}

impl Draft {
    /// More than fits into a line.
    pub(super) fn more(mut self, description: &'static str) -> Self {
        self.0.description = description;
        self
    }

    pub(super) fn takes(mut self, body: Takes) -> Self {
        self.0.takes = body;
        self
    }

    pub(super) fn with(mut self, parameters: fn() -> Vec<Parameter>) -> Self {
        self.0.parameters.push(parameters);
        self
    }

    pub(super) fn gives(
        mut self,
        status: StatusCode,
        description: &'static str,
        content: Content,
    ) -> Self {
        self.0.gives.push(Answer { status, description, content });
        self
    }

    /// Failures beside those that any request of its kind can meet.
    pub(super) fn fails(mut self, codes: &[Code]) -> Self {
        self.0.errors.extend(codes);
        self
    }

    /// It has nothing that could break.
    pub(super) fn never_fails(mut self) -> Self {
        self.0.errors.clear();
        self
    }

    /// Who answers.
    pub(super) fn to<F, Args>(mut self, handler: F) -> Endpoint
    where
        F: Handler<Args, Output: Responder + 'static>,
        Args: FromRequest + 'static,
    {
        let method = self.0.method.clone();
        self.0.route = Box::new(move || matching(&method).to(handler.clone()));
        self.0
    }
}

/// Whoever may GET something may ask for its headers alone.
fn matching(method: &Method) -> Route {
    match *method {
        Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        _ => web::method(method.clone()),
    }
}

impl Endpoint {
    /// The route, which asks of its callers what the row says, however they spell its path.
    pub(super) fn guarded(&self) -> Route {
        let (access, route) = (self.access, (self.route)());
        match access {
            Access::Public => route,
            Access::SignedIn | Access::Needs(_) => {
                route.wrap(from_fn(move |request, next| authorize(access, request, next)))
            }
        }
    }

    /// True when it can be told to be done once.
    pub(super) fn takes_key(&self) -> bool {
        self.errors.contains(&Code::KeyReused)
    }

    /// The methods that it answers to.
    pub(super) fn methods(&self) -> Vec<Method> {
        match self.method {
            Method::GET => vec![Method::GET, Method::HEAD],
            _ => vec![self.method.clone()],
        }
    }

    /// Every kind of failure that it can meet, in the order of the table of failures.
    pub fn failures(&self) -> Vec<Code> {
        let mut codes = self.errors.clone();
        match self.access {
            Access::Public => {}
            Access::SignedIn => codes.extend(OF_CREDENTIALS),
            Access::Needs(_) => {
                codes.extend(OF_CREDENTIALS);
                codes.push(Code::ScopeMissing);
            }
        }
        match self.takes {
            Takes::Nothing => {}
            Takes::Bytes | Takes::Archive | Takes::Form => codes.extend(OF_STREAMED_BODIES),
            Takes::Json(_) | Takes::FormOrJson { form: _, json: _ } => {
                codes.extend(OF_BODIES);
                if self.access != Access::Public {
                    codes.push(Code::BodiesFull);
                }
            }
        }
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

const OF_CREDENTIALS: [Code; 4] = [
    Code::NotAuthenticated,
    Code::SeveralCredentials,
    Code::CredentialInvalid,
    Code::CredentialExpired,
];

const OF_BODIES: [Code; 10] = [
    Code::InvalidJson,
    Code::BodyUnreadable,
    Code::BodyTooSlow,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::UnsupportedEncoding,
    Code::ValidationFailed,
    Code::DuplicateKey,
    Code::NestingTooDeep,
    Code::TooManyValues,
];

const OF_STREAMED_BODIES: [Code; 4] =
    [Code::BodyUnreadable, Code::BodyTooSlow, Code::UnsupportedEncoding, Code::BodiesFull];

/// What can come of an `Idempotency-Key`.
pub(super) const OF_KEYS: [Code; 4] =
    [Code::KeyReused, Code::KeyInProgress, Code::KeyUnknown, Code::ValidationFailed];
