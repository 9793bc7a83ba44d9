//! The size of a terminal, as the kernel has it.

use rustix::termios::Winsize;

use crate::sandbox::spec::TerminalSize;

impl From<TerminalSize> for Winsize {
    fn from(TerminalSize { rows, columns }: TerminalSize) -> Self {
        Self { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
    }
}
