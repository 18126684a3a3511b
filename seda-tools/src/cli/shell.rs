//! `seda completions` and `seda man`.

use super::error::CliError;
use super::exit::Exit;
use super::output;
use clap::{Args, Command};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct CompletionFlags {
    /// The shell
    shell: Shell,
}

/// Prints the completions of the program for a shell.
pub(super) fn completions(flags: &CompletionFlags, mut program: Command) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut program, "seda", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

/// Prints the manual page of the program and its commands.
pub(super) fn man(program: Command) -> Result<Exit, CliError> {
    let mut page = Vec::new();
    let commands: Vec<Command> = program.get_subcommands().cloned().collect();
    clap_mangen::Man::new(program).render(&mut page).map_err(CliError::Stdout)?;
    for command in commands.into_iter().filter(|command| !command.is_hide_set()) {
        let name = format!("seda {}", command.get_name());
        let man = clap_mangen::Man::new(command.name(name.clone()).display_name(name));
        man.render(&mut page).map_err(CliError::Stdout)?;
    }
    output::print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Success)
}
