package io.github.kolors4j.cli;

import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Path;

/** What ControlNets and IP-Adapters are called by: a folder or a file, a repository, or mini. */
final class ExtensionNames {
  /** The name that stands for the one that is shipped with the mini checkpoint. */
  static final String MINI = "mini";

  private ExtensionNames() {}

  /** The folder of a ControlNet. */
  static Path controlNet(String name, Repositories repositories) throws IOException {
    return name.equals(MINI) ? MiniCheckpoint.controlNet() : repositories.directory(name);
  }

  /** The folder or the file of an IP-Adapter. */
  static Path ipAdapter(String name, Repositories repositories) throws IOException {
    return name.equals(MINI) ? MiniCheckpoint.ipAdapter() : repositories.directory(name);
  }
}
