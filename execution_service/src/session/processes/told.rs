//! What is told of a command's arguments.

/// Bytes that are told of a command, with one more for the end of each argument: what is started may have
/// megabytes of arguments, and a list of all must fit into one answer. `processes.proto` has this number, too.
const TOLD: usize = 1024;

/// The beginning of a command.
pub(super) fn told(command: Vec<String>) -> Vec<String> {
    let mut left = TOLD;
    let mut told = Vec::new();
    for mut argument in command {
        let Some(room) = left.checked_sub(1) else { break };
        let whole = argument.len();
        argument.truncate(argument.floor_char_boundary(room));
        // Not what a long one held before.
        argument.shrink_to_fit();
        // Behind one that was cut, nothing.
        left = if argument.len() < whole { 0 } else { room - whole };
        told.push(argument);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_command_its_beginning_is_told() {
        let words =
            |words: &[&str]| words.iter().map(|word| String::from(*word)).collect::<Vec<_>>();
        assert_eq!(told(words(&["cat", "", "-u"])), ["cat", "", "-u"]);
        // Two bytes each.
        let long = "\u{e9}".repeat(90_000);
        let cut = told(words(&["cat", &long, "more"]));
        assert_eq!((cut.len(), &*cut[0], cut[1].len()), (2, "cat", 1018));
        assert!(cut[1].capacity() < TOLD && long.starts_with(&cut[1]));
        assert_eq!(told(vec![String::new(); 90_000]).len(), TOLD);
    }
}
