package io.github.kolors4j.safetensors;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The tensors in a file of {@code torch.save}, as {@code .bin}, {@code .ckpt} and {@code .pt} files
 * are. Only tensors are made of it, and the dictionaries around them, whose keys become one name
 * with dots; no code is run. What is read of a tensor is kept outside of the heap until the file is
 * closed.
 */
public final class PickleFile implements TensorSource {
  /** Larger pickles are not of tensors: they have some hundred bytes a tensor. */
  private static final long MAX_PICKLE_BYTES = 64L << 20;

  /** The entry with the names and shapes; its folder is called as the file was. */
  private static final Pattern PICKLE = Pattern.compile("[^/]+/data\\.pkl");

  private static final int MAX_DEPTH = 8;
  private static final byte[] ZIP = {'P', 'K', 3, 4};
  private static final byte LEGACY = (byte) 0x80;

  /** Those before the header of a safetensors file. */
  private static final int LENGTH_BYTES = 8;

  private final Path path;
  private final ZipFile zip;
  private final String folder;
  private final Map<String, Unpickler.Tensor> tensors;
  private final Map<String, MemorySegment> storages = new HashMap<>();
  private final Arena arena = Arena.ofShared();

  private PickleFile(Path path, ZipFile zip, String folder, Map<String, Unpickler.Tensor> tensors) {
    this.path = path;
    this.zip = zip;
    this.folder = folder;
    this.tensors = tensors;
  }

  /**
   * Whether a file looks like one of {@code torch.save}, by its first bytes.
   *
   * @param path the file
   * @return false also where there is no such file
   */
  public static boolean isOne(Path path) {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (InputStream in = Files.newInputStream(path)) {
      byte[] begin = in.readNBytes(LENGTH_BYTES + 1);
      return Arrays.equals(Arrays.copyOf(begin, ZIP.length), ZIP)
          || (begin.length > 0 && begin[0] == LEGACY && !isSafetensors(begin));
    } catch (IOException unreadable) {
      return false;
    }
  }

  /** One in thirty-two of those begins with the same byte: it is of the header's length. */
  private static boolean isSafetensors(byte[] begin) {
    return begin.length > LENGTH_BYTES && begin[LENGTH_BYTES] == '{';
  }

  /**
   * Opens a file.
   *
   * @param path the file
   * @return the open file, to be closed by the caller
   * @throws SafetensorsException if it cannot be read, was written by PyTorch before 1.6, or has
   *     anything but tensors, numbers and texts
   */
  public static PickleFile open(Path path) throws SafetensorsException {
    ZipFile zip;
    try {
      zip = new ZipFile(path.toFile());
    } catch (ZipException e) {
      throw fault(
          path,
          "is no file of torch.save since PyTorch 1.6. Incomplete download? Else convert it to"
              + " safetensors.");
    } catch (IOException e) {
      throw SafetensorsException.of(path, "read", e);
    }
    try {
      return read(path, zip);
    } catch (Throwable e) {
      try {
        zip.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static PickleFile read(Path path, ZipFile zip) throws SafetensorsException {
    ZipEntry pickle =
        zip.stream()
            .filter(entry -> PICKLE.matcher(entry.getName()).matches())
            .findFirst()
            .orElseThrow(() -> fault(path, "has no data.pkl: it is no file of torch.save."));
    if (pickle.getSize() > MAX_PICKLE_BYTES) {
      throw fault(path, String.format(Locale.ROOT, "has a pickle of %,d bytes.", pickle.getSize()));
    }
    String folder = pickle.getName().substring(0, pickle.getName().indexOf('/') + 1);
    ZipEntry order = zip.getEntry(folder + "byteorder");
    if (order != null
        && !new String(bytes(path, zip, order), StandardCharsets.US_ASCII).equals("little")) {
      throw fault(path, "has big-endian values, which are not supported.");
    }
    try {
      Map<String, Unpickler.Tensor> tensors = new LinkedHashMap<>();
      collect("", Unpickler.read(bytes(path, zip, pickle)), tensors, 0);
      PickleFile file = new PickleFile(path, zip, folder, Collections.unmodifiableMap(tensors));
      Set<String> storages = new HashSet<>();
      for (Map.Entry<String, Unpickler.Tensor> tensor : tensors.entrySet()) {
        file.check(tensor.getKey());
        if (storages.add(tensor.getValue().storage().key())) {
          file.checkBegin(tensor.getValue().storage());
        }
      }
      return file;
    } catch (Unpickler.Fault e) {
      throw fault(path, String.valueOf(e.getMessage()));
    }
  }

  private static void collect(
      String name, Object value, Map<String, Unpickler.Tensor> tensors, int depth)
      throws Unpickler.Fault {
    if (depth > MAX_DEPTH) {
      throw new Unpickler.Fault("its dictionaries are more than " + MAX_DEPTH + " deep.");
    }
    if (value instanceof Unpickler.Tensor tensor) {
      tensors.put(name, tensor);
    } else if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        String key = name.isEmpty() ? "" + entry.getKey() : name + "." + entry.getKey();
        collect(key, entry.getValue(), tensors, depth + 1);
      }
    }
  }

  private static byte[] bytes(Path path, ZipFile zip, ZipEntry entry) throws SafetensorsException {
    checkStored(path, entry);
    try (InputStream in = zip.getInputStream(entry)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw SafetensorsException.of(path, "read", e);
    }
  }

  /** What is not compressed is no larger than the file. */
  private static void checkStored(Path path, ZipEntry entry) throws SafetensorsException {
    if (entry.getMethod() != ZipEntry.STORED || entry.getSize() != entry.getCompressedSize()) {
      throw fault(path, "is compressed, which torch.save never does.");
    }
  }

  /** That a tensor is inside of its storage. */
  private void check(String name) throws SafetensorsException {
    Unpickler.Tensor tensor = tensor(name);
    ZipEntry entry = entry(tensor.storage());
    if (entry == null) {
      throw fault(
          path,
          "%s has no values in it. Incomplete download?".formatted(ForeignText.oneLine(name)));
    }
    checkStored(path, entry);
    try {
      long last = tensor.offset();
      boolean empty = false;
      for (int axis = 0; axis < tensor.shape().size(); axis++) {
        long extent = tensor.shape().get(axis);
        long stride = tensor.strides().get(axis);
        if (extent < 0 || stride < 0) {
          throw hasShape(name, tensor);
        }
        empty |= extent == 0;
        last = Math.addExact(last, Math.multiplyExact(stride, Math.max(extent - 1, 0)));
      }
      long bytes = Math.multiplyExact(last + 1, bytesOf(tensor));
      tensor.storage().dtype().byteLength(tensor.shape());
      if (tensor.offset() < 0 || (!empty && bytes > entry.getSize())) {
        throw fault(
            path,
            String.format(
                Locale.ROOT,
                "%s needs %,d bytes and its storage has %,d.",
                ForeignText.oneLine(name),
                bytes,
                entry.getSize()));
      }
    } catch (ArithmeticException | IndexOutOfBoundsException e) {
      throw hasShape(name, tensor);
    }
  }

  /** That a storage's values begin where the archive's directory says. */
  private void checkBegin(Unpickler.Storage storage) throws SafetensorsException {
    try (InputStream in = zip.getInputStream(entry(storage))) {
      in.read();
    } catch (ZipException _) {
      throw fault(path, "is damaged where the values of a tensor should be. Load it again.");
    } catch (IOException e) {
      throw SafetensorsException.of(path, "read", e);
    }
  }

  private ZipEntry entry(Unpickler.Storage storage) {
    return zip.getEntry(folder + "data/" + storage.key());
  }

  private Unpickler.Tensor tensor(String name) {
    Unpickler.Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw SafetensorsFile.unknownTensor(path, name, tensors.size());
    }
    return tensor;
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(name)).map(tensor -> info(name, tensor));
  }

  private TensorInfo info(String name, Unpickler.Tensor tensor) {
    DType dtype = tensor.storage().dtype();
    return new TensorInfo(name, dtype, tensor.shape(), 0, dtype.byteLength(tensor.shape()), path);
  }

  /**
   * The values of a tensor, in row-major order.
   *
   * @throws IllegalStateException if the file is closed, or cannot be read any more
   */
  @Override
  public synchronized MemorySegment data(String name) {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("[pickle] " + path + ": is closed.");
    }
    Unpickler.Tensor tensor = tensor(name);
    MemorySegment storage =
        storages.computeIfAbsent(tensor.storage().key(), _ -> load(tensor.storage()));
    long length = info(name, tensor).byteLength();
    int bytes = bytesOf(tensor);
    if (isContiguous(tensor)) {
      return length == 0
          ? MemorySegment.NULL
          : storage.asSlice(tensor.offset() * bytes, length).asReadOnly();
    }
    MemorySegment arranged = arena.allocate(length, Long.BYTES);
    arrange(tensor, 0, tensor.offset(), storage, arranged, 0);
    return arranged.asReadOnly();
  }

  private MemorySegment load(Unpickler.Storage storage) {
    ZipEntry entry = entry(storage);
    MemorySegment values = arena.allocate(Math.max(entry.getSize(), 1), Long.BYTES);
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] buffer = new byte[1 << 16];
      long at = 0;
      for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
        MemorySegment.copy(MemorySegment.ofArray(buffer), 0, values, at, read);
        at += read;
      }
      return values;
    } catch (IOException e) {
      throw new IllegalStateException(
          "[pickle] %s: cannot be read (%s).".formatted(path, SafetensorsException.reason(e)), e);
    }
  }

  /** Bytes of a value, of which the types of a pickle have whole ones. */
  private static int bytesOf(Unpickler.Tensor tensor) {
    return Math.toIntExact(tensor.storage().dtype().byteLength(List.of(1L)));
  }

  private static boolean isContiguous(Unpickler.Tensor tensor) {
    long stride = 1;
    for (int axis = tensor.shape().size() - 1; axis >= 0; axis--) {
      long extent = tensor.shape().get(axis);
      if (extent != 1 && tensor.strides().get(axis) != stride) {
        return false;
      }
      stride *= extent;
    }
    return true;
  }

  /** Copies the values of one axis and all further ones; returns where the next value goes. */
  private static long arrange(
      Unpickler.Tensor tensor,
      int axis,
      long from,
      MemorySegment source,
      MemorySegment to,
      long at) {
    int bytes = bytesOf(tensor);
    if (axis == tensor.shape().size()) {
      MemorySegment.copy(source, from * bytes, to, at, bytes);
      return at + bytes;
    }
    long next = at;
    for (long i = 0; i < tensor.shape().get(axis); i++) {
      next = arrange(tensor, axis + 1, from + i * tensor.strides().get(axis), source, to, next);
    }
    return next;
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      arena.close();
      storages.clear();
      try {
        zip.close();
      } catch (IOException e) {
        // It was open for reading: nothing can be lost.
      }
    }
  }

  private SafetensorsException hasShape(String name, Unpickler.Tensor tensor) {
    return fault(
        path,
        "%s has the shape %s."
            .formatted(ForeignText.oneLine(name), ForeignText.oneLine(tensor.shape().toString())));
  }

  private static SafetensorsException fault(Path path, String what) {
    return new SafetensorsException("[pickle] " + path + ": " + what);
  }
}
