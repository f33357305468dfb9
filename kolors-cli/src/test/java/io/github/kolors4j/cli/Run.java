package io.github.kolors4j.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A command that was run in this JVM: its exit code and what it has written. */
record Run(int exitCode, String out, String err) {

  static Run of(String... args) {
    return with(false, args);
  }

  static Run with(boolean interactive, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            interactive);
    int exitCode = KolorsCommand.run(terminal, new Interruption(), args);
    return new Run(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Standard output, which must be one line, as JSON. */
  JsonObject json() {
    if (exitCode != 0 || out.lines().count() != 1) {
      throw new AssertionError("not one line of JSON: " + this);
    }
    return JsonParser.parseString(out).getAsJsonObject();
  }
}
