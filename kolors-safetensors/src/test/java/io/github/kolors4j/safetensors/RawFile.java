package io.github.kolors4j.safetensors;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files put together by hand, so that the tests of the reader do not lean on the writer. */
final class RawFile {
  static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RawFile() {}

  /** A file with that header, and data of which the byte at i is (byte) i. */
  static byte[] bytes(String header, int dataBytes) {
    return bytes(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  static byte[] bytes(byte[] header, int dataBytes) {
    ByteBuffer file =
        ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    for (int i = 0; i < dataBytes; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  static Path write(Path file, String header, int dataBytes) throws IOException {
    return Files.write(file, bytes(header, dataBytes));
  }

  /** One F32 tensor of that name, with that many values. */
  static Path tensor(Path file, String name, int size) throws IOException {
    String header =
        """
        {"%s":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}"""
            .formatted(name, size, 4 * size);
    return write(file, header, 4 * size);
  }
}
