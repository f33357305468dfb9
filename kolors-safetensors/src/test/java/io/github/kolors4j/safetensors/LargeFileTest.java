package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of 3 GB, with holes where nothing was written: they take next to no room on the disk. */
class LargeFileTest {
  private static final long THREE_GB = 3L << 30;
  private static final List<Long> SHAPE = List.of(3L << 10, 1L << 19);

  @TempDir Path directory;

  @BeforeEach
  void thereIsRoomEvenWithoutHoles() throws IOException {
    assumeTrue(Files.getFileStore(directory).getUsableSpace() > 2 * THREE_GB, "no room for 3 GB");
  }

  @Test
  void tensorsBeyondTwoGigabytesAreRead() throws IOException {
    String header =
        """
        {"big":{"dtype":"F16","shape":[3072,524288],"data_offsets":[0,3221225472]},\
        "last":{"dtype":"U8","shape":[3],"data_offsets":[3221225472,3221225475]}}""";
    Path path = RawFile.write(directory.resolve("sparse"), header, 0);
    long dataStart = Files.size(path);
    long deep = 2_900_000_000L;
    try (var channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {42}), dataStart + deep);
      channel.write(ByteBuffer.wrap(new byte[] {7, 8, 9}), dataStart + THREE_GB);
    }
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(SHAPE, file.find("big").orElseThrow().shape());
      MemorySegment big = file.data("big");
      assertEquals(THREE_GB, big.byteSize());
      assertEquals(0, big.get(ValueLayout.JAVA_BYTE, deep - 1));
      assertEquals(42, big.get(ValueLayout.JAVA_BYTE, deep));
      assertArrayEquals(new byte[] {7, 8, 9}, file.data("last").toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** Giving 3 GB of pieces would take a minute; a look at the unfinished file shows as much. */
  @Test
  void tensorsBeyondTwoGigabytesAreWrittenWhereTheHeaderSays() throws IOException {
    var big = new SafetensorsWriter.Entry("big", DType.F16, SHAPE);
    var last = new SafetensorsWriter.Entry("last", DType.U8, List.of(3L));
    var writer = SafetensorsWriter.create(directory.resolve("big"), List.of(last, big), Map.of());
    Path unfinished;
    try (Stream<Path> files = Files.list(directory)) {
      unfinished = files.findFirst().orElseThrow();
    }
    long dataStart = Files.size(unfinished);
    writer.write("last", ByteBuffer.wrap(new byte[] {7, 8, 9}));
    assertEquals(dataStart + THREE_GB + 3, Files.size(unfinished));
    try (var file = SafetensorsFile.open(unfinished)) {
      assertEquals(dataStart + THREE_GB, file.find("last").orElseThrow().offset());
      assertArrayEquals(new byte[] {7, 8, 9}, file.data("last").toArray(ValueLayout.JAVA_BYTE));
      assertEquals(0, file.data("big").get(ValueLayout.JAVA_BYTE, THREE_GB - 1));
    }
    assertThrows(IllegalStateException.class, writer::close);
    assertFalse(Files.exists(unfinished));
  }
}
