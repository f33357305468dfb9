package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether this machine is set up well, and computes what it should. */
@Command(
    name = "doctor",
    description = {
      "Looks at this machine and computes small things whose results are known.",
      "Exit code 1 means that a result is wrong."
    },
    sortOptions = false)
final class DoctorCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Option(names = "--json", description = "One line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  DoctorCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /**
   * One thing that was looked at.
   *
   * @param name what
   * @param value what it is
   * @param advice what to do about it; empty where it is as it should be
   */
  record Finding(String name, String value, String advice) {
    static Finding good(String name, String value) {
      return new Finding(name, value, "");
    }

    boolean ok() {
      return advice.isEmpty();
    }

    private Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("name", name);
      json.put("value", value);
      json.put("ok", ok());
      json.put("advice", advice);
      return json;
    }
  }

  @Override
  public Integer call() {
    List<Finding> machine = MachineFindings.all();
    List<Finding> results = KnownResults.all();
    List<Finding> all = new ArrayList<>(machine);
    all.addAll(results);
    boolean right = results.stream().allMatch(Finding::ok);
    if (json) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("ok", all.stream().allMatch(Finding::ok));
      line.put("checks", all.stream().map(Finding::json).toList());
      terminal.out().println(JsonWriter.compact(line));
    } else {
      all.forEach(this::print);
    }
    return right ? KolorsCommand.OK : KolorsCommand.FAILED;
  }

  private void print(Finding finding) {
    terminal
        .out()
        .printf("%-2s %-12s %s%n", finding.ok() ? "ok" : "!", finding.name(), finding.value());
    if (!finding.ok()) {
      terminal.out().printf("   %-12s %s%n", "", finding.advice());
    }
  }
}
