//! The gRPC contract between the gateway (`api_service`) and the worker (`execution_service`),
//! generated from `execution/v1/`: one file for each service.

/// Version 1 of the execution API.
// The outcome of a run is by far the largest event, and the last one: boxing it would gain nothing.
#[allow(clippy::large_enum_variant)]
pub mod execution_v1 {
    tonic::include_proto!("execution.v1");
}

/// The metadata keys and the error details that both ends of the contract must spell alike.
pub mod wire {
    /// Carries `Bearer <INTERNAL_AUTH_TOKEN>` on every call.
    pub const AUTHORIZATION: &str = "authorization";
    /// Carries the gateway's request id, so that both services log the same one.
    pub const REQUEST_ID: &str = "x-request-id";
    /// On a failed call: a stable word that says which error it is (the constants in [`reason`]).
    pub const ERROR_REASON: &str = "x-error-reason";
    /// On a call that failed with [`reason::INVALID_ARGUMENT`]: the field that is wrong, as the API names
    /// it; the message then says what is wrong with it.
    pub const ERROR_FIELD: &str = "x-error-field";
    /// On a failed call with `RESOURCE_EXHAUSTED` or `UNAVAILABLE`: seconds to wait before another try.
    pub const RETRY_AFTER: &str = "x-retry-after";
    /// On a call that failed with [`reason::OWNER_FULL`] or, for want of a slot, with
    /// [`reason::WORKER_FULL`]: whose turn it would have been in that queue; 1 is next.
    pub const QUEUE_POSITION: &str = "x-queue-position";
    /// Beside [`QUEUE_POSITION`]: how many wait in that queue.
    pub const QUEUE_LENGTH: &str = "x-queue-length";
    /// Largest message either end accepts, in bytes: the gateway's 16 MiB body cap, whose base64
    /// files shrink on the way, and an answer of two 8 MiB streams and their results.
    pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

    /// What the gateway remembers of each stream itself, in bytes: the worker stores no text that is as
    /// short as this and came whole.
    pub const REMEMBERED_OUTPUT_BYTES: usize = 64 << 10;

    /// A value of a result that is longer than this, in bytes, is a large one.
    pub const LARGE_RESULT_BYTES: usize = 64 << 10;
    /// Most bytes of a file or an archive that come or go in one piece.
    pub const FILE_PIECE_BYTES: usize = 256 << 10;

    /// Most bytes of a stored output that come in one piece.
    pub const OUTPUT_PIECE_BYTES: u64 = 256 << 10;

    /// The values of [`ERROR_REASON`].
    pub mod reason {
        /// No such session, or it belongs to somebody else.
        pub const SESSION_NOT_FOUND: &str = "session_not_found";
        /// The session's time to live or idle time ran out.
        pub const SESSION_EXPIRED: &str = "session_expired";
        /// The session is known to have existed, but its sandbox is gone.
        pub const SESSION_LOST: &str = "session_lost";
        /// Nothing by that execution id runs here for that owner.
        pub const EXECUTION_NOT_FOUND: &str = "execution_not_found";
        /// What that execution wrote is not stored, or not any more.
        pub const OUTPUT_NOT_FOUND: &str = "output_not_found";
        /// The session is paused, and its use does not resume it.
        pub const SESSION_PAUSED: &str = "session_paused";
        /// A run goes on in the session.
        pub const SESSION_BUSY: &str = "session_busy";
        /// The session has no such context.
        pub const CONTEXT_NOT_FOUND: &str = "context_not_found";
        /// The session has as many contexts as one session may.
        pub const SESSION_FULL: &str = "session_full";
        /// The session, or its owner, has as many processes as there may be.
        pub const TOO_MANY_PROCESSES: &str = "too_many_processes";
        /// The session has no such process, or has forgotten it.
        pub const PROCESS_NOT_FOUND: &str = "process_not_found";
        /// The standard input of the process or of the run is not open, or not any more.
        pub const STDIN_CLOSED: &str = "stdin_closed";
        /// So much input waits that no more is taken: the program does not read.
        pub const STDIN_FULL: &str = "stdin_full";
        /// The process has ended.
        pub const PROCESS_ENDED: &str = "process_ended";
        /// The process has no terminal.
        pub const NO_TERMINAL: &str = "no_terminal";
        /// The program of a command cannot be executed; the message says why.
        pub const NOT_EXECUTABLE: &str = "not_executable";
        /// There is no such file or directory.
        pub const FILE_NOT_FOUND: &str = "file_not_found";
        /// It is a directory, and a file was asked for.
        pub const FILE_IS_DIRECTORY: &str = "file_is_directory";
        /// It is no directory, or what leads to it is none.
        pub const FILE_NO_DIRECTORY: &str = "file_no_directory";
        /// It is a FIFO, a socket or a device.
        pub const FILE_SPECIAL: &str = "file_special";
        /// There is something by that name.
        pub const FILE_EXISTS: &str = "file_exists";
        /// It is a directory that has something in it.
        pub const FILE_NOT_EMPTY: &str = "file_not_empty";
        /// It is not the version that was asked for.
        pub const FILE_CHANGED: &str = "file_changed";
        /// The file system of the session refuses it; the message says why.
        pub const FILE_REFUSED: &str = "file_refused";
        /// It would be more than the workspace may hold.
        pub const FILE_TOO_LARGE: &str = "file_too_large";
        /// The workspace is full.
        pub const DISK_FULL: &str = "disk_full";
        /// What should be an archive is none, or holds what may not be unpacked; the message says what.
        pub const ARCHIVE_REFUSED: &str = "archive_refused";
        /// As many transfers or watchers go on as may at once.
        pub const FILES_BUSY: &str = "files_busy";
        /// The context runs another language than the one that was asked for.
        pub const LANGUAGE_MISMATCH: &str = "language_mismatch";
        /// A network policy allows more than the operator does; the message names the field and is meant for the caller.
        pub const NETWORK_REFUSED: &str = "network_refused";
        /// Nobody connects for sandboxes at the moment: the broker is gone or hangs.
        pub const NETWORK_UNAVAILABLE: &str = "network_unavailable";
        /// This worker cannot run the language.
        pub const LANGUAGE_UNAVAILABLE: &str = "language_unavailable";
        /// The owner has as many runs waiting as one owner may; those of others are let in.
        pub const OWNER_FULL: &str = "owner_full";
        /// The owner's sandboxes have been promised as much as those of one owner may; the message says of what.
        pub const SHARE_FULL: &str = "share_full";
        /// Every slot is taken and the queue is full, or did not move before it was too late to begin.
        pub const WORKER_FULL: &str = "worker_full";
        /// The caller holds as many sessions as one owner may.
        pub const TOO_MANY_SESSIONS: &str = "too_many_sessions";
        /// A field's value is wrong; the message names the field.
        pub const INVALID_ARGUMENT: &str = "invalid_argument";
        /// The worker is ending.
        pub const SHUTTING_DOWN: &str = "shutting_down";
        /// The internal token is missing or wrong.
        pub const UNAUTHENTICATED: &str = "unauthenticated";
        /// A fault of ours; the cause is in the worker's log.
        pub const INTERNAL: &str = "internal";
    }
}
