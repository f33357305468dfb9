package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.hub.HubEnvironment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Whoever sets HOME means all that a program keeps; kolors-mini has the third of these rules. */
@DisabledOnOs(OS.WINDOWS)
class CacheFolderTest {
  @Test
  void itIsInTheHomeThatTheHubsCacheIsIn() throws Exception {
    Map<String, String> variables = Map.of("HOME", "/somewhere/else");
    Path home = HubEnvironment.home(variables).orElseThrow();
    assertEquals(
        Path.of("/somewhere/else/.cache/huggingface/hub"),
        HubEnvironment.of(variables, home).cache().root());
    assertEquals(
        Optional.of(Path.of("/somewhere/else/.cache/kolors4j")), CacheFolder.of(variables));
  }

  @Test
  void theCacheOfTheEnvironmentGoesBeforeTheHomeIfItIsAWholePath() {
    Map<String, String> whole = Map.of("HOME", "/home/me", "XDG_CACHE_HOME", "/cache");
    assertEquals(Optional.of(Path.of("/cache/kolors4j")), CacheFolder.of(whole));
    Map<String, String> part = Map.of("HOME", "/home/me", "XDG_CACHE_HOME", "cache");
    assertEquals(Optional.of(Path.of("/home/me/.cache/kolors4j")), CacheFolder.of(part));
  }
}
