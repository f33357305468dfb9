package io.github.kolors4j.cli;

import java.io.IOException;
import java.nio.file.Path;

/** Finds what was named: a folder or a file that is there, else a repository. */
@FunctionalInterface
interface Repositories {
  Path directory(String name) throws IOException;
}
