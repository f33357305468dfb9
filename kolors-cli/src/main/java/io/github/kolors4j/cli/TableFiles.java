package io.github.kolors4j.cli;

import io.github.kolors4j.batch.RequestFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that rows name, of which ControlNets and IP-Adapters may be called as their options do. */
final class TableFiles implements RequestFiles {
  private final RequestFiles ofFolder;
  private final Repositories repositories;

  TableFiles(Path folder, Repositories repositories) {
    ofFolder = RequestFiles.in(folder);
    this.repositories = repositories;
  }

  @Override
  public byte[] picture(String name) throws IOException {
    return ofFolder.picture(name);
  }

  @Override
  public Path adapter(String name) {
    return ofFolder.adapter(name);
  }

  @Override
  public Path controlNet(String name) throws IOException {
    return row(() -> NamedModel.CONTROL_NET.find("controlnet", name, this::directory));
  }

  @Override
  public Path ipAdapter(String name) throws IOException {
    return row(() -> NamedModel.IP_ADAPTER.find("ip_adapter", name, this::directory));
  }

  /** What is there beside the table, else what the option would take. */
  private Path directory(String name) throws IOException {
    Path beside = adapter(name);
    return Files.exists(beside) ? beside : repositories.directory(name);
  }

  /** A name that can be none is the row's fault, and not the command's. */
  private static Path row(UsageException.Call<Path, IOException> call) throws IOException {
    try {
      return call.run();
    } catch (UsageException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
