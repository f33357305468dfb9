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
  /** Of a screen's 100, without mark and name. */
  private static final int WIDTH = 84;

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

  /** A text in lines of a screen, broken at spaces. */
  static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private void print(Finding finding) {
    List<String> lines = new ArrayList<>(lines(finding.value()));
    if (!finding.ok()) {
      lines.addAll(lines(finding.advice()));
    }
    String mark = finding.ok() ? "ok" : "!";
    String name = finding.name();
    for (String line : lines) {
      terminal.out().printf("%-2s %-12s %s%n", mark, name, line);
      mark = "";
      name = "";
    }
  }
}
