package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.SchedulerOption;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which schedulers there are. */
@Command(
    name = "schedulers",
    description = "Lists the schedulers with their short names, options and defaults.",
    sortOptions = false,
    footer = {
      "",
      "generate takes a name or a short name as --scheduler, and each line below one as"
          + " --scheduler-option."
    })
final class SchedulersCommand implements Callable<Integer> {
  /** JSON has no infinity; this is a number there, and every reader of doubles makes one of it. */
  private static final String INFINITY = "1e999";

  private final Terminal terminal;

  @Parameters(
      paramLabel = "NAME",
      arity = "0..*",
      description = "These alone, with what each option takes and means. Default: all.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--json", description = "One line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  SchedulersCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    List<SchedulerType> types =
        names.isEmpty()
            ? Schedulers.all()
            : UsageException.check(() -> names.stream().map(Schedulers::byName).toList());
    if (json) {
      terminal
          .out()
          .println(
              JsonWriter.compact(
                  Map.of("schedulers", types.stream().map(SchedulersCommand::json).toList())));
    } else {
      types.forEach(this::print);
    }
    return KolorsCommand.OK;
  }

  private static Map<String, Object> json(SchedulerType type) {
    Map<String, Object> options = new LinkedHashMap<>();
    type.options().forEach(option -> options.put(option.key(), value(option.defaultValue())));
    Map<String, Object> scheduler = new LinkedHashMap<>();
    scheduler.put("name", type.className());
    scheduler.put("shortNames", type.shortNames());
    scheduler.put("options", options);
    return scheduler;
  }

  private static @Nullable Object value(@Nullable Object value) {
    return value instanceof Double number && number.isInfinite()
        ? new BigDecimal(number > 0 ? INFINITY : "-" + INFINITY)
        : value;
  }

  private void print(SchedulerType type) {
    terminal.out().println(type);
    for (SchedulerOption option : type.options()) {
      terminal
          .out()
          .println(
              "    " + option.key() + "=" + SchedulerConfig.formatValue(option.defaultValue()));
      if (!names.isEmpty()) {
        terminal.out().println("        " + option.values() + ": " + option.meaning());
      }
    }
  }
}
