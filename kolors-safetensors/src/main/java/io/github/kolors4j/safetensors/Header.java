package io.github.kolors4j.safetensors;

import static io.github.kolors4j.safetensors.SafetensorsException.quote;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The beginning of a safetensors file, checked to the last byte:
 *
 * <pre>
 * 8 bytes    length of the JSON, unsigned little-endian
 * JSON       {"__metadata__": {"key": "text", …},
 *             "name": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, …}
 *            white space before and after; offsets count from the end of this
 * data       the tensors, without overlap and without gaps, to the end of the file
 * </pre>
 *
 * @param tensors by name, in the order of their data
 * @param metadata in the order of the file
 * @param fileSize bytes; the size that was checked
 */
record Header(Map<String, TensorInfo> tensors, Map<String, String> metadata, long fileSize) {

  /** Bytes of the length in front. */
  static final int LENGTH_BYTES = Long.BYTES;

  /** Longest JSON of the format: what the reference implementation allows. */
  static final int MAX_LENGTH = 100_000_000;

  /** More than a Git LFS pointer needs to be known by. */
  private static final int POINTER_BYTES = 64;

  static final String METADATA = "__metadata__";
  static final String DTYPE = "dtype";
  static final String SHAPE = "shape";
  static final String DATA_OFFSETS = "data_offsets";

  /** A tensor as declared, with offsets into the data. */
  private record Declared(String name, DType dtype, List<Long> shape, long begin, long end) {}

  /** Reads and checks the header of {@code file}, open as {@code channel}. */
  static Header read(Path file, FileChannel channel) throws IOException {
    long fileSize = channel.size();
    byte[] json = readJson(file, channel, fileSize);
    List<Declared> declared = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try {
      JsonReader.of(json)
          .document(
              document ->
                  document.object(
                      key -> {
                        if (key.equals(METADATA)) {
                          if (!document.isNull()) {
                            document.object(entry -> metadata.put(entry, document.string()));
                          }
                        } else {
                          declared.add(readTensor(file, document, key));
                        }
                      }));
    } catch (JsonException e) {
      throw SafetensorsException.of(file, "header " + e.reason());
    }
    long dataStart = (long) LENGTH_BYTES + json.length;
    return new Header(
        place(file, declared, dataStart, fileSize),
        Collections.unmodifiableMap(metadata),
        fileSize);
  }

  /** What a file is that has no header, by how it begins: those that are taken for safetensors. */
  private static String whatElse(String begin) {
    if (begin.startsWith("PK\3\4") || begin.startsWith("\u0080\2")) {
      return "It begins as torch.save's files do (.ckpt, .pt, .bin): convert it to safetensors.";
    }
    if (begin.startsWith("GGUF")) {
      return "It is a GGUF file, which is not read: take the same weights as safetensors.";
    }
    if (begin.stripLeading().startsWith("<")) {
      return "It begins as a web page does: download the file itself.";
    }
    return "Is it a safetensors file?";
  }

  private static byte[] readJson(Path file, FileChannel channel, long fileSize) throws IOException {
    if (fileSize < LENGTH_BYTES) {
      throw fault(
          file,
          "has %,d bytes but the length of its header takes %d. Incomplete download?",
          fileSize,
          LENGTH_BYTES);
    }
    long length =
        readFully(file, channel, 0, LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    // Before the comparison with the file: any other format begins with some huge number.
    if (length < 0 || length > MAX_LENGTH) {
      byte[] begin = readFully(file, channel, 0, (int) Math.min(fileSize, POINTER_BYTES)).array();
      if (GitLfsPointer.matches(begin)) {
        throw SafetensorsException.of(file, GitLfsPointer.FAULT);
      }
      throw fault(
          file,
          "header says %s bytes: at most %,d are allowed. %s",
          length < 0 ? "more than 2^63" : String.format(Locale.ROOT, "%,d", length),
          MAX_LENGTH,
          whatElse(new String(begin, StandardCharsets.ISO_8859_1)));
    }
    if (length > fileSize - LENGTH_BYTES) {
      throw fault(
          file,
          "header says %,d bytes but the file has %,d. Incomplete download?",
          length,
          fileSize);
    }
    byte[] json = readFully(file, channel, LENGTH_BYTES, (int) length).array();
    int begin = 0;
    while (begin < json.length && isSpace(json[begin])) {
      begin++;
    }
    if (begin == json.length || json[begin] != '{') {
      throw fault(file, "header does not begin with '{'. Is it a safetensors file?");
    }
    int end = json.length;
    while (isSpace(json[end - 1])) {
      end--;
    }
    if (json[end - 1] != '}') {
      throw fault(file, "header does not end with '}' and white space. Corrupt file?");
    }
    return json;
  }

  private static boolean isSpace(byte c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
  }

  private static ByteBuffer readFully(Path file, FileChannel channel, long position, int count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new EOFException(file + " became shorter while it was read");
      }
    }
    return buffer;
  }

  private static Declared readTensor(Path file, JsonReader json, String name) throws IOException {
    DType[] dtype = new DType[1];
    List<Long> shape = new ArrayList<>();
    List<Long> offsets = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    json.object(
        field -> {
          fields.add(field);
          switch (field) {
            case DTYPE -> dtype[0] = readDType(file, name, json.string());
            case SHAPE -> json.array(extent -> shape.add(extent.natural()));
            case DATA_OFFSETS -> json.array(offset -> offsets.add(offset.natural()));
            default -> json.value(); // as the reference implementation, which looks at no other
          }
        });
    for (String field : List.of(DTYPE, SHAPE, DATA_OFFSETS)) {
      if (!fields.contains(field)) {
        throw fault(file, "tensor %s has no %s.", quote(name), field);
      }
    }
    if (offsets.size() != 2) {
      throw fault(
          file,
          "tensor %s has %,d data_offsets: there must be 2, begin and end.",
          quote(name),
          offsets.size());
    }
    var tensor = new Declared(name, dtype[0], List.copyOf(shape), offsets.get(0), offsets.get(1));
    checkLength(file, tensor);
    return tensor;
  }

  private static DType readDType(Path file, String tensor, String name)
      throws SafetensorsException {
    return DType.find(name)
        .orElseThrow(
            () ->
                fault(
                    file,
                    "tensor %s has the unknown dtype %s: known are %s.",
                    quote(tensor),
                    quote(name),
                    Arrays.toString(DType.values())));
  }

  private static void checkLength(Path file, Declared tensor) throws SafetensorsException {
    if (tensor.begin > tensor.end) {
      throw fault(
          file,
          "tensor %s begins at byte %,d of the data, after its end at %,d.",
          quote(tensor.name),
          tensor.begin,
          tensor.end);
    }
    long needed;
    try {
      needed = tensor.dtype.byteLength(tensor.shape);
    } catch (ArithmeticException e) {
      throw fault(
          file,
          "tensor %s is too large: %s %s passes 2^63 bytes.",
          quote(tensor.name),
          tensor.dtype,
          shown(tensor.shape));
    } catch (IllegalArgumentException e) {
      throw fault(
          file,
          "tensor %s, %s %s, does not fill whole bytes.",
          quote(tensor.name),
          tensor.dtype,
          shown(tensor.shape));
    }
    if (needed != tensor.end - tensor.begin) {
      throw fault(
          file,
          "tensor %s, %s %s, takes %,d bytes but its data_offsets hold %,d.",
          quote(tensor.name),
          tensor.dtype,
          shown(tensor.shape),
          needed,
          tensor.end - tensor.begin);
    }
  }

  /** The tensors in the order of their data, which they must cover without overlap or gap. */
  private static Map<String, TensorInfo> place(
      Path file, List<Declared> declared, long dataStart, long fileSize)
      throws SafetensorsException {
    // A tensor without values shares its offset with the next one, and comes first.
    declared.sort(Comparator.comparingLong(Declared::begin).thenComparingLong(Declared::end));
    long covered = 0;
    String previous = "";
    for (Declared tensor : declared) {
      if (tensor.begin < covered) {
        throw fault(
            file,
            "tensor %s begins at byte %,d of the data but %s ends at %,d: tensors must not"
                + " overlap.",
            quote(tensor.name),
            tensor.begin,
            quote(previous),
            covered);
      }
      if (tensor.begin > covered) {
        throw fault(
            file,
            "tensor %s begins at byte %,d of the data but what is before it ends at %,d: there"
                + " must be no gap.",
            quote(tensor.name),
            tensor.begin,
            covered);
      }
      covered = tensor.end;
      previous = tensor.name;
    }
    long dataSize = fileSize - dataStart;
    if (covered > dataSize) {
      throw fault(
          file,
          "header promises %,d bytes of data but the file has %,d. Incomplete download?",
          covered,
          dataSize);
    }
    if (covered < dataSize) {
      throw fault(
          file,
          "has %,d bytes of data but its tensors end at %,d: nothing may follow them.",
          dataSize,
          covered);
    }
    Map<String, TensorInfo> tensors = LinkedHashMap.newLinkedHashMap(declared.size());
    for (Declared tensor : declared) {
      tensors.put(
          tensor.name,
          new TensorInfo(
              tensor.name,
              tensor.dtype,
              tensor.shape,
              dataStart + tensor.begin,
              tensor.end - tensor.begin,
              file));
    }
    return Collections.unmodifiableMap(tensors);
  }

  private static String shown(List<Long> shape) {
    return shape.size() <= 16
        ? shape.toString()
        : String.format(Locale.ROOT, "of %,d dimensions", shape.size());
  }

  private static SafetensorsException fault(Path file, String format, Object... values) {
    return SafetensorsException.of(file, String.format(Locale.ROOT, format, values));
  }
}
