package io.github.kolors4j.cli;

import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Does once, in little and in silence, what commands without kernels do, so that the JVM can note
 * which classes that takes. The script {@code ./kolors} keeps them in an archive beside the jar.
 */
final class Rehearsal {
  private static final List<String[]> COMMANDS =
      List.of(
          new String[] {"--version"},
          new String[] {"pull", "--help"},
          new String[] {"pull"}, // which lacks its argument
          new String[] {"cache", "list"});

  private Rehearsal() {}

  /**
   * Goes through it.
   *
   * @param args an empty folder, for whoever calls to delete
   * @throws IOException if something does not work
   */
  public static void main(String[] args) throws IOException {
    Locale.setDefault(Locale.ROOT);
    Terminal nowhere = new Terminal(silence(), silence(), false);
    for (String[] command : COMMANDS) {
      KolorsCommand.run(nowhere, new Interruption(), command);
    }
    pull(Path.of(args[0]), nowhere);
  }

  private static void pull(Path folder, Terminal nowhere) throws IOException {
    try (RehearsalHub hub = new RehearsalHub();
        PullReport report = new PullReport(nowhere, false)) {
      Map<String, String> variables = Map.of("HF_ENDPOINT", hub.endpoint().toString());
      HubClient client =
          ModelLocation.client(HubEnvironment.of(variables, folder), new Interruption());
      PullPlan plan = client.plan(RepoRevision.parse(RehearsalHub.REPO), Variant.DEFAULT);
      nowhere.out().println(client.pull(plan, report));
      nowhere.out().println(client.cache().list());
    }
  }

  private static PrintStream silence() {
    return new PrintStream(OutputStream.nullOutputStream());
  }
}
