package io.github.kolors4j.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A script that lets a shell complete commands and options. */
@Command(
    name = "completion",
    description = {
      "Prints a script that completes commands and options in a shell.",
      "bash: source <(./kolors completion bash)",
      "zsh:  source <(./kolors completion zsh)"
    },
    sortOptions = false)
final class CompletionCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private Shell shell;

  @Mixin private CommonOptions common;

  /** The shells; one script serves both. */
  enum Shell {
    bash,
    zsh
  }

  CompletionCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() {
    if (shell == Shell.zsh) {
      terminal.out().println("autoload -U +X compinit && compinit");
    }
    terminal
        .out()
        .println(
            AutoComplete.bash(KolorsCommand.NAME, KolorsCommand.whole(terminal, interruption)));
    return KolorsCommand.OK;
  }
}
