package io.github.kolors4j.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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

  @Option(names = "--json", description = "One line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  SchedulersCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (json) {
      JsonArray schedulers = new JsonArray();
      Schedulers.all().forEach(type -> schedulers.add(json(type)));
      JsonObject object = new JsonObject();
      object.add("schedulers", schedulers);
      terminal.out().println(Json.line(object));
    } else {
      Schedulers.all().forEach(this::print);
    }
    return KolorsCommand.OK;
  }

  private static JsonObject json(SchedulerType type) {
    SchedulerConfig defaults = type.defaults();
    JsonObject options = new JsonObject();
    defaults.keys().forEach(key -> options.add(key, value(defaults.get(key))));
    JsonObject scheduler = new JsonObject();
    scheduler.addProperty("name", type.className());
    scheduler.add("shortNames", Json.of(type.shortNames()));
    scheduler.add("options", options);
    return scheduler;
  }

  /** A value of a configuration as JSON, where null also is one. */
  private static JsonElement value(Object value) {
    return switch (value) {
      case null -> JsonNull.INSTANCE;
      case Double number when number.isInfinite() ->
          new JsonPrimitive(new BigDecimal(number > 0 ? INFINITY : "-" + INFINITY));
      case List<?> items -> {
        JsonArray array = new JsonArray();
        items.forEach(item -> array.add(value(item)));
        yield array;
      }
      default -> Json.of(value);
    };
  }

  private void print(SchedulerType type) {
    terminal.out().println(type);
    SchedulerConfig defaults = type.defaults();
    for (String key : defaults.keys()) {
      terminal.out().println("    " + key + "=" + SchedulerConfig.formatValue(defaults.get(key)));
    }
  }
}
