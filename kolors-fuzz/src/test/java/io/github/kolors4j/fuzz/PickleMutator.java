package io.github.kolors4j.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Damages the program in a file of {@code torch.save}, and packs it again with a sum that fits: of
 * damage to the archive itself, the sums alone would tell.
 */
final class PickleMutator implements Mutator {
  private final Mutator bytes = new ByteMutator();

  /** A file of an archive. */
  private record Part(String name, byte[] content) {
    boolean isProgram() {
      return name.endsWith(".pkl");
    }
  }

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    if (random.nextInt(4) == 0) {
      return bytes.mutate(random, seeds);
    }
    List<Part> parts = parts(Mutator.oneOf(random, seeds));
    List<byte[]> others = new ArrayList<>();
    for (byte[] seed : seeds) {
      parts(seed).stream().filter(Part::isProgram).map(Part::content).forEach(others::add);
    }
    parts.replaceAll(
        part ->
            part.isProgram()
                ? new Part(
                    part.name,
                    bytes.mutate(random, List.of(part.content, Mutator.oneOf(random, others))))
                : part);
    if (random.nextInt(8) == 0) {
      parts.remove(random.nextInt(parts.size()));
    }
    return archive(parts);
  }

  private static List<Part> parts(byte[] archive) {
    List<Part> parts = new ArrayList<>();
    try {
      // PyTorch's archives are only readable from their end.
      Path file = Files.createTempFile("archive", ".zip");
      try {
        Files.write(file, archive);
        try (ZipFile zip = new ZipFile(file.toFile())) {
          for (ZipEntry entry : Collections.list(zip.entries())) {
            parts.add(new Part(entry.getName(), zip.getInputStream(entry).readAllBytes()));
          }
        }
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return parts;
  }

  private static byte[] archive(List<Part> parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Part part : parts) {
        ZipEntry entry = new ZipEntry(part.name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(part.content.length);
        CRC32 sum = new CRC32();
        sum.update(part.content);
        entry.setCrc(sum.getValue());
        zip.putNextEntry(entry);
        zip.write(part.content);
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
