package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.time.Duration;

/** A process of its own that pulls: to be killed, doubled, or run on a disk that is full. */
final class PullProgram {
  private PullProgram() {}

  /** Takes the environment of the process, and the size of a range. */
  public static void main(String[] args) throws IOException {
    Backoff backoff =
        new Backoff(Duration.ofMillis(10), Duration.ofMillis(50), Duration.ofSeconds(2), 4);
    HubClient client =
        new HubClient(HubEnvironment.current(), backoff, Long.parseLong(args[0]), () -> false);
    PullPlan plan = client.plan(RepoRevision.parse(FakeHub.REPO), Variant.DEFAULT);
    try {
      System.out.println(client.pull(plan, PullListener.NONE));
    } catch (HubException e) {
      System.out.println(e.reason() + " " + e.getMessage());
      System.exit(1);
    }
  }
}
