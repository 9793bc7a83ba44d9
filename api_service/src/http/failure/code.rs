//! Every kind of failure, with what it means to a caller: one row for each. No other file knows the
//! status or the name of a failure. A surface renders these rows in words of its own.

use actix_web::http::StatusCode;

/// What a kind of failure means.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The HTTP status.
    pub status: StatusCode,
    /// The kind as a word; stable.
    pub name: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// What a caller can do about it, where nothing more special is known.
    pub remedy: &'static str,
}

macro_rules! table {
    ($($(#[$doc:meta])* $code:ident = $status:ident $name:literal $title:literal, $remedy:literal;)*) => {
        /// A kind of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Its row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$code => Row {
                        status: StatusCode::$status,
                        name: $name,
                        title: $title,
                        remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

table! {
    /// The body is no JSON.
    InvalidJson = BAD_REQUEST "invalid_json" "The body is not JSON",
        "send one JSON value in UTF-8";
    /// The body broke off.
    BodyUnreadable = BAD_REQUEST "body_unreadable" "The body could not be read",
        "the connection broke, or the body is not encoded as its headers say";
    /// A page of another origin asked for too much.
    PreflightRefused = BAD_REQUEST "preflight_refused" "The browser may not send this request",
        "ask the operator to add the origin to CORS_ORIGINS, or use a method and headers \
         that are allowed";
    /// There is no credential.
    NotAuthenticated = UNAUTHORIZED "not_authenticated" "A credential is needed",
        "send Authorization: Bearer <access token or API key>, or X-API-Key: <API key>";
    /// Which one is meant is not guessed.
    SeveralCredentials = UNAUTHORIZED "several_credentials" "There are several credentials",
        "send one of them: Authorization: Bearer, or X-API-Key";
    /// The credential is unknown, malformed or revoked.
    CredentialInvalid = UNAUTHORIZED "credential_invalid" "The credential is not valid",
        "sign in again, or use another API key";
    /// The credential was good once.
    CredentialExpired = UNAUTHORIZED "credential_expired" "The credential has expired",
        "refresh the access token, or make a new API key";
    /// No such user, or another password.
    BadCredentials = UNAUTHORIZED "bad_credentials" "The user name or the password is wrong",
        "check both; which of them is wrong is not told";
    /// The refresh token is no good.
    RefreshTokenInvalid = UNAUTHORIZED "refresh_token_invalid" "The refresh token is not valid",
        "it is unknown, expired, revoked or was used before; sign in again";
    /// The credential lacks a scope.
    ScopeMissing = FORBIDDEN "scope_missing" "The credential does not allow this",
        "use a credential that holds the scope";
    /// The password is right, and the user may not sign in.
    UserDisabled = FORBIDDEN "user_disabled" "The user is disabled",
        "ask an administrator to enable the user";
    /// The password to be changed is another one.
    WrongPassword = FORBIDDEN "wrong_password" "The present password is wrong",
        "password: send the one that you sign in with now";
    /// The operator allows no webhooks to the host.
    WebhookRefused = FORBIDDEN "webhook_refused" "Webhooks to this host are not allowed",
        "webhook.url: ask the operator to add its host to WEBHOOK_HOSTS";
    /// The operator allows no programs to reach the host.
    NetworkRefused = FORBIDDEN "network_refused" "Programs may not reach this host",
        "network.allow: ask the operator to add the host to EGRESS_ALLOW";
    /// A page of another origin wants a WebSocket.
    OriginRefused = FORBIDDEN "origin_refused" "Pages of this origin may not do this",
        "Origin: ask the operator to add it to CORS_ORIGINS";
    /// No such route.
    NotFound = NOT_FOUND "not_found" "Not found",
        "there is nothing here; see /docs";
    /// No such user.
    UserNotFound = NOT_FOUND "user_not_found" "No such user",
        "there is no user with this id";
    /// No such key of that user.
    ApiKeyNotFound = NOT_FOUND "api_key_not_found" "No such API key",
        "none of yours has this id";
    /// No such execution of that user.
    ExecutionNotFound = NOT_FOUND "execution_not_found" "No such execution",
        "none of yours has this id, or it is so old that it was forgotten";
    /// The output is nowhere.
    OutputNotKept = NOT_FOUND "output_not_kept" "The output was not kept",
        "it was too long to be remembered, or no text, and the worker could not store it";
    /// No such file of that execution.
    ArtifactNotFound = NOT_FOUND "artifact_not_found" "No such artifact",
        "artifacts in the answer of the run lists what there is; collect names what is stored";
    /// No such session of that user.
    SessionNotFound = NOT_FOUND "session_not_found" "No such session",
        "none of yours has this id, or it was deleted; create another";
    /// No such context of that session.
    ContextNotFound = NOT_FOUND "context_not_found" "No such context",
        "the session has none with this id; list its contexts, or create one";
    /// The session has no such process.
    ProcessNotFound = NOT_FOUND "process_not_found" "No such process",
        "it never was, or ended some time ago: five minutes, or 32 others have ended since";
    /// No such file.
    FileNotFound = NOT_FOUND "file_not_found" "No such file",
        "there is nothing by that name in the workspace of the session";
    /// The route has other methods.
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed"
        "The route does not know this method",
        "the Allow header lists the methods it knows";
    /// The body did not arrive in time.
    BodyTooSlow = REQUEST_TIMEOUT "body_too_slow" "The body took too long",
        "send the whole body without pauses";
    /// Somebody has the name.
    UsernameTaken = CONFLICT "username_taken" "The user name is taken",
        "choose another username";
    /// Nobody else could administer.
    LastAdmin = CONFLICT "last_admin" "The only administrator",
        "nobody else could administer; make another administrator first";
    /// Whoever changes the own password has to know the present one.
    OwnPassword = CONFLICT "own_password" "Your own password cannot be reset",
        "change it with PUT /v1/users/me/password, which asks for the present one";
    /// The user has as many keys as one may have.
    TooManyApiKeys = CONFLICT "too_many_api_keys" "Too many API keys",
        "you have as many keys as one user may have; delete one first";
    /// The execution has ended.
    ExecutionNotRunning = CONFLICT "execution_not_running" "The execution is not running",
        "it has ended; get it to see how";
    /// Another gateway has it.
    ExecutionElsewhere = CONFLICT "execution_elsewhere" "The execution goes on in another gateway",
        "get it to see how it ended; only the gateway that runs it can be asked meanwhile";
    /// Its first caller did not wait for it.
    ExecutionCancelled = CONFLICT "execution_cancelled" "The execution was cancelled",
        "it was ended because whoever had started it went away; use a new key";
    /// The execution has not ended.
    ExecutionRunning = CONFLICT "execution_running" "The execution is still running",
        "what it wrote can be had when it has ended";
    /// The process has ended.
    ProcessEnded = CONFLICT "process_ended" "The process has ended",
        "get it to see how";
    /// The process was started without a terminal.
    NoTerminal = CONFLICT "no_terminal" "The process has no terminal",
        "start it with \"pty\": {\"cols\": 80, \"rows\": 24}";
    /// The standard input was not left open, or is over.
    StdinClosed = CONFLICT "stdin_closed" "Standard input is not open",
        "start the run with \"stdin\": {\"open\": true}, and send nothing after eof";
    /// The user has as many sessions as one may have.
    TooManySessions = CONFLICT "too_many_sessions" "Too many sessions",
        "you have as many sessions as one user may have; delete one first";
    /// A run goes on in the session.
    SessionBusy = CONFLICT "session_busy" "A run goes on in the session",
        "wait for its end, interrupt it or cancel it, then pause the session";
    /// The session is paused, and its use does not resume it.
    SessionPaused = CONFLICT "session_paused" "The session is paused",
        "it was made with auto_resume false: resume it first";
    /// The session has as many of something as one may have.
    SessionFull = CONFLICT "session_full" "The session is full",
        "it has as many contexts or processes as one session may have; delete one first";
    /// A directory stands where a file was asked for.
    IsDirectory = CONFLICT "is_directory" "It is a directory",
        "list it with GET …/files?path=, or get all of it from …/files.tar?path=";
    /// A file stands where a directory was asked for.
    NotADirectory = CONFLICT "not_a_directory" "It is no directory",
        "it, or something that leads to it, is a file";
    /// A FIFO, a socket or a device.
    SpecialFile = CONFLICT "special_file" "It is no ordinary file",
        "it is a FIFO, a socket or a device; only files and directories are read and replaced";
    /// Something has the name.
    FileExists = CONFLICT "file_exists" "There is something by that name",
        "choose another name, or send overwrite: true to replace a file";
    /// There is something in the directory.
    DirectoryNotEmpty = CONFLICT "directory_not_empty" "The directory is not empty",
        "send ?recursive=true to remove it with all that is in it";
    /// Permissions of the session's own files, or links that lead out of the workspace.
    FileRefused = CONFLICT "file_refused" "The file system of the session refuses it",
        "change its permissions or its links with a run in the session";
    /// The key came with another body before.
    KeyReused = CONFLICT "idempotency_key_reused"
        "The idempotency key was used for another request",
        "Idempotency-Key: use a new key for a new request";
    /// The first request of the key goes on.
    KeyInProgress = CONFLICT "idempotency_in_progress"
        "The first request with this idempotency key is still running",
        "try again after the time in Retry-After to get its answer";
    /// The first request of the key was cut off.
    KeyUnknown = CONFLICT "idempotency_unknown"
        "The first request with this idempotency key was cut off",
        "nobody knows how far it got: look at your executions and sessions, then use a new key";
    /// The time of the output was up.
    OutputExpired = GONE "output_expired" "The output has expired",
        "long output is kept for a while only; available_until in the run's answer said when";
    /// The output had to go before its time.
    OutputGone = GONE "output_gone" "The output is gone",
        "it made way for newer output, or the worker was restarted; run the code again";
    /// The time of the session ran out.
    SessionExpired = GONE "session_expired" "The session has expired",
        "its time to live or its idle time ran out; create another";
    /// The sandbox of the session is gone.
    SessionLost = GONE "session_lost" "The session was lost",
        "its sandbox is gone, and with it variables and files; create another";
    /// It has changed.
    FileChanged = PRECONDITION_FAILED "file_changed" "The file is another version",
        "get it again: If-Match or If-None-Match does not hold for what is there now";
    /// The body is larger than the operator allows.
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "The body is too large",
        "send less";
    /// It is larger than the whole workspace.
    FileTooLarge = PAYLOAD_TOO_LARGE "file_too_large" "The file is too large",
        "it is larger than the workspace of the session, whose size is its limits.disk_bytes";
    /// The body has another type than the route reads.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type"
        "The body has a type that this route does not read",
        "send the Content-Type that the route reads";
    /// The body is compressed.
    UnsupportedEncoding = UNSUPPORTED_MEDIA_TYPE "unsupported_content_encoding"
        "The body is compressed",
        "send it as it is, without Content-Encoding";
    /// There is no byte in that range.
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE "range_not_satisfiable"
        "There is no such range of bytes",
        "ask for bytes that are there; Content-Range says how many";
    /// Fields are wrong.
    ValidationFailed = UNPROCESSABLE_ENTITY "validation_failed" "The request is not valid",
        "errors says which fields are wrong, and what would be right";
    /// No archive, or one that would leave the workspace.
    ArchiveRefused = UNPROCESSABLE_ENTITY "archive_refused" "The archive is refused",
        "send an archive of tar's, without compression, of files, directories and links that stay in it";
    /// Two readers could understand the body differently.
    DuplicateKey = UNPROCESSABLE_ENTITY "duplicate_key" "A key stands twice in one object",
        "keep one of them";
    /// The body is built to hurt its reader.
    NestingTooDeep = UNPROCESSABLE_ENTITY "nesting_too_deep" "The body is nested too deeply",
        "send a flatter body";
    /// The body would take far more memory than its length.
    TooManyValues = UNPROCESSABLE_ENTITY "too_many_values" "The body has too many values",
        "send fewer";
    /// The context runs another language.
    LanguageMismatch = UNPROCESSABLE_ENTITY "language_mismatch"
        "The context runs another language",
        "language: use the language that the context was created with";
    /// The program of a command cannot be executed.
    NotExecutable = UNPROCESSABLE_ENTITY "not_executable" "The program cannot be executed",
        "command: name a program that is there and executable, and a cwd that exists";
    /// The worker cannot run the language.
    LanguageUnavailable = UNPROCESSABLE_ENTITY "language_unavailable"
        "The language is not available here",
        "language: choose one that /v1/languages lists";
    /// The route is a WebSocket.
    UpgradeNeeded = UPGRADE_REQUIRED "upgrade_needed" "This is a WebSocket",
        "open it with a WebSocket client, version 13";
    /// Too many sign-ins by that name or from that address.
    TooManyAttempts = TOO_MANY_REQUESTS "too_many_attempts" "Too many sign-in attempts",
        "wait as long as Retry-After says";
    /// The session or the user has as many as there may be.
    TooManyProcesses = TOO_MANY_REQUESTS "too_many_processes" "Too many processes",
        "nothing was started; kill one, or let one end";
    /// The program does not read what it was sent.
    StdinFull = TOO_MANY_REQUESTS "stdin_full" "The program does not read its standard input",
        "nothing of this was taken; try again after the time in Retry-After, or send less at once";
    /// The user has as many runs waiting as one may have.
    TooManyRunsWaiting = TOO_MANY_REQUESTS "too_many_runs_waiting" "Too many runs of yours wait",
        "nothing was run; let some of them end, or try again after the time in Retry-After";
    /// The user's sandboxes have been promised as much as those of one user may.
    ShareFull = TOO_MANY_REQUESTS "share_full" "Your sandboxes have as much as those of one user may",
        "nothing was run; end a session or ask for lower limits, or try again after the time in Retry-After";
    /// The session has as many transfers of files as it may have at once.
    TooManyTransfers = TOO_MANY_REQUESTS "too_many_transfers"
        "Too many transfers of files in this session",
        "let some of them end, or try again after the time in Retry-After";
    /// A fault of ours.
    Internal = INTERNAL_SERVER_ERROR "internal" "Something went wrong on our side",
        "the cause is in the log, under the request id";
    /// Other bodies take all the memory that there is for bodies.
    BodiesFull = SERVICE_UNAVAILABLE "bodies_full" "Too many large bodies at once",
        "try again after the time in Retry-After, or send less";
    /// Answers that nobody has read yet take all the memory that there is for answers.
    AnswersFull = SERVICE_UNAVAILABLE "answers_full" "Too many long answers have not been read",
        "nothing was run; read the answers that you have asked for, or try again after the time in Retry-After";
    /// More sign-ins at once than this machine can check.
    SignInBusy = SERVICE_UNAVAILABLE "sign_in_busy" "Too many sign-ins at once",
        "try again after the time in Retry-After";
    /// The worker was lost while the run went on.
    ExecutionUnknown = SERVICE_UNAVAILABLE "execution_unknown"
        "The worker was lost during the run",
        "it was accepted and may have run in part; its end is not known";
    /// Every slot of the worker is taken.
    WorkerFull = SERVICE_UNAVAILABLE "worker_full" "Every place is taken",
        "nothing was run; try again after the time in Retry-After";
    /// Nobody connects for sandboxes.
    NetworkUnavailable = SERVICE_UNAVAILABLE "network_unavailable" "There is no network",
        "the process that connects for programs is not there; try again, or do without a network";
    /// The worker cannot be reached.
    WorkerUnavailable = SERVICE_UNAVAILABLE "worker_unavailable" "The worker is not available",
        "try again after the time in Retry-After";
    /// So much waits to be written that no more is taken on.
    DatabaseBehind = SERVICE_UNAVAILABLE "database_behind" "The database does not keep up",
        "try again after the time in Retry-After";
    /// It ends.
    GatewayStopping = SERVICE_UNAVAILABLE "gateway_stopping" "The gateway is stopping",
        "what ran was ended with it; try again after the time in Retry-After";
    /// The workspace is full.
    DiskFull = INSUFFICIENT_STORAGE "disk_full" "The workspace of the session is full",
        "remove files, or make a session with a larger limits.disk_bytes";
}
