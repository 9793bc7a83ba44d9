//! Whether a program is written in IPython's notation. Where it is forked from depends on it, and nothing else.

/// Commands that IPython takes without a mark, where they are no Python.
const COMMANDS: &[&str] = &["pip", "conda", "cd"];

/// Whether `code` seems to have magics, commands of the shell, or questions for help.
pub fn is_ipython(code: &str) -> bool {
    let first = code.split_whitespace().next().unwrap_or_default();
    COMMANDS.contains(&first)
        || code.contains("get_ipython")
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
    fn it_is_known_by_its_marks() {
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
        for code in ["", "print(1)", "x = 1 % 2", "if a != b: pass", "# why? because"] {
            assert!(!is_ipython(code), "{code}");
        }
    }
}
