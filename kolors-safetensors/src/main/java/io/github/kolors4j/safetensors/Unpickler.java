package io.github.kolors4j.safetensors;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickle in a file of {@code torch.save}: dictionaries, lists and tuples of texts,
 * numbers and tensors, and nothing else. A pickle is a program that may call any function of
 * Python; here it may name those that make a tensor, and anything else is refused by its name.
 */
final class Unpickler {
  /** A function or class that a pickle may name. */
  private enum Global {
    ORDERED_DICT("collections OrderedDict"),
    REBUILD_TENSOR("torch._utils _rebuild_tensor_v2"),
    REBUILD_PARAMETER("torch._utils _rebuild_parameter"),
    FLOAT_STORAGE("torch FloatStorage"),
    HALF_STORAGE("torch HalfStorage"),
    BFLOAT16_STORAGE("torch BFloat16Storage"),
    LONG_STORAGE("torch LongStorage"),
    DOUBLE_STORAGE("torch DoubleStorage");

    private final String name;

    Global(String name) {
      this.name = name;
    }

    /** The type of a storage's values. */
    Optional<DType> dtype() {
      return switch (this) {
        case FLOAT_STORAGE -> Optional.of(DType.F32);
        case HALF_STORAGE -> Optional.of(DType.F16);
        case BFLOAT16_STORAGE -> Optional.of(DType.BF16);
        case LONG_STORAGE -> Optional.of(DType.I64);
        case DOUBLE_STORAGE -> Optional.of(DType.F64);
        case ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER -> Optional.empty();
      };
    }
  }

  /**
   * Values of one type in an entry of the archive.
   *
   * @param key the entry's name below {@code data/}
   */
  record Storage(DType dtype, String key) {}

  /**
   * A tensor.
   *
   * @param offset of its first value in the storage, in values
   * @param strides from one index of each axis to the next, in values
   */
  record Tensor(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

  /** What is wrong, without the file. */
  static final class Fault extends Exception {
    private static final long serialVersionUID = 1;

    Fault(String message) {
      super(message);
    }
  }

  private static final Object MARK = new Object();

  private static final Object NONE = new Object();

  private final ByteBuffer code;
  private final Deque<Object> stack = new ArrayDeque<>();
  private final Map<Integer, Object> memo = new HashMap<>();

  private Unpickler(byte[] pickle) {
    code = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * What a pickle is of.
   *
   * @return maps, lists, strings, numbers and {@link Tensor}s
   * @throws Fault if it is damaged, or anything but these
   */
  static Object read(byte[] pickle) throws Fault {
    try {
      return new Unpickler(pickle).run();
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      throw new Fault("its pickle ends in the middle. Incomplete download?");
    } catch (NoSuchElementException | ClassCastException | ArithmeticException e) {
      throw new Fault("its pickle is damaged.");
    }
  }

  private Object run() throws Fault {
    while (true) {
      int opcode = Byte.toUnsignedInt(code.get());
      switch (opcode) {
        case 0x80 -> code.get(); // PROTO
        case 0x95 -> code.getLong(); // FRAME
        case '.' -> { // STOP
          return stack.pop();
        }
        case '(' -> stack.push(MARK);
        case 'N' -> stack.push(NONE);
        case 0x88 -> stack.push(true);
        case 0x89 -> stack.push(false);
        case 'K' -> stack.push((long) Byte.toUnsignedInt(code.get()));
        case 'M' -> stack.push((long) Short.toUnsignedInt(code.getShort()));
        case 'J' -> stack.push((long) code.getInt());
        case 0x8a -> stack.push(longOf(bytes(Byte.toUnsignedInt(code.get()))));
        case 'G' -> stack.push(code.slice().order(ByteOrder.BIG_ENDIAN).getDouble(skip(8)));
        case 'X' -> stack.push(text(code.getInt()));
        case 0x8c -> stack.push(text(Byte.toUnsignedInt(code.get())));
        case '}' -> stack.push(new LinkedHashMap<Object, Object>());
        case ']' -> stack.push(new ArrayList<Object>());
        case ')' -> stack.push(List.of());
        case 't' -> stack.push(List.copyOf(popToMark()));
        case 0x85 -> stack.push(List.of(stack.pop()));
        case 0x86 -> tuple(2);
        case 0x87 -> tuple(3);
        case 'q' -> memo.put(Byte.toUnsignedInt(code.get()), stack.getFirst());
        case 'r' -> memo.put(code.getInt(), stack.getFirst());
        case 0x94 -> memo.put(memo.size(), stack.getFirst());
        case 'h' -> stack.push(remembered(Byte.toUnsignedInt(code.get())));
        case 'j' -> stack.push(remembered(code.getInt()));
        case 'a' -> append(List.of(stack.pop()));
        case 'e' -> append(popToMark());
        case 's' -> {
          Object value = stack.pop();
          setItems(List.of(stack.pop(), value));
        }
        case 'u' -> setItems(popToMark());
        case 'c' -> stack.push(global(line() + " " + line()));
        case 0x93 -> {
          Object name = stack.pop();
          stack.push(global(stack.pop() + " " + name));
        }
        case 'Q' -> stack.push(storage((List<?>) stack.pop()));
        case 'R' -> {
          List<?> arguments = (List<?>) stack.pop();
          stack.push(call((Global) stack.pop(), arguments));
        }
        case 'b' -> stack.pop(); // attributes of a dictionary, which say nothing of its tensors
        default ->
            throw new Fault(
                String.format(
                    Locale.ROOT,
                    "its pickle has the operation 0x%02x, which makes no tensor.",
                    opcode));
      }
    }
  }

  private int skip(int count) {
    code.position(code.position() + count);
    return 0;
  }

  private byte[] bytes(int length) throws Fault {
    if (length < 0 || length > code.remaining()) {
      throw new Fault("its pickle ends in the middle. Incomplete download?");
    }
    byte[] bytes = new byte[length];
    code.get(bytes);
    return bytes;
  }

  private String text(int length) throws Fault {
    return new String(bytes(length), StandardCharsets.UTF_8);
  }

  private String line() throws Fault {
    int length = 0;
    while (code.get(code.position() + length) != '\n') {
      length++;
    }
    String line = text(length);
    code.get();
    return line;
  }

  private static long longOf(byte[] littleEndian) {
    long value = 0;
    for (int i = 0; i < littleEndian.length; i++) {
      value |= (i < Long.BYTES ? littleEndian[i] & 0xffL : 0) << (8 * i);
    }
    int bits = 8 * littleEndian.length;
    return bits == 0 || bits >= Long.SIZE
        ? value
        : value << (Long.SIZE - bits) >> (Long.SIZE - bits);
  }

  private void tuple(int size) {
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      items.addFirst(stack.pop());
    }
    stack.push(List.copyOf(items));
  }

  private List<Object> popToMark() {
    List<Object> items = new ArrayList<>();
    for (Object item = stack.pop(); item != MARK; item = stack.pop()) {
      items.add(item);
    }
    return items.reversed();
  }

  private Object remembered(int index) throws Fault {
    @Nullable Object value = memo.get(index);
    if (value == null) {
      throw new Fault("its pickle asks for something that it did not keep.");
    }
    return value;
  }

  @SuppressWarnings("unchecked") // only this class makes lists and maps
  private void append(List<Object> items) {
    ((ArrayList<Object>) stack.getFirst()).addAll(items);
  }

  @SuppressWarnings("unchecked") // only this class makes lists and maps
  private void setItems(List<Object> items) {
    var map = (LinkedHashMap<Object, Object>) stack.getFirst();
    for (int i = 0; i < items.size(); i += 2) {
      map.put(items.get(i), items.get(i + 1));
    }
  }

  private static Global global(String name) throws Fault {
    for (Global each : Global.values()) {
      if (each.name.equals(name)) {
        return each;
      }
    }
    throw new Fault(
        "its pickle names %s, which makes no tensor and is not run. Convert the file to safetensors where you trust it."
            .formatted(SafetensorsException.quote(name.replace(' ', '.'))));
  }

  /** Of {@code ('storage', type, key, device, size)}. */
  private static Storage storage(List<?> id) throws Fault {
    if (id.size() < 3
        || !"storage".equals(id.get(0))
        || !(id.get(1) instanceof Global type)
        || !(id.get(2) instanceof String key)) {
      throw new Fault("its pickle is damaged.");
    }
    DType dtype =
        type.dtype().orElseThrow(() -> new Fault("its pickle has a storage of " + type.name + "."));
    return new Storage(dtype, key);
  }

  private static Object call(Global function, List<?> arguments) throws Fault {
    return switch (function) {
      case ORDERED_DICT -> orderedDict(arguments);
      case REBUILD_TENSOR ->
          new Tensor(
              (Storage) arguments.get(0),
              (Long) arguments.get(1),
              longs(arguments.get(2)),
              longs(arguments.get(3)));
      case REBUILD_PARAMETER -> (Tensor) arguments.get(0);
      case FLOAT_STORAGE, HALF_STORAGE, BFLOAT16_STORAGE, LONG_STORAGE, DOUBLE_STORAGE ->
          throw new Fault("its pickle calls " + function.name + ".");
    };
  }

  private static Map<Object, Object> orderedDict(List<?> arguments) {
    Map<Object, Object> map = new LinkedHashMap<>();
    if (!arguments.isEmpty()) {
      for (Object pair : (List<?>) arguments.getFirst()) {
        List<?> entry = (List<?>) pair;
        map.put(entry.get(0), entry.get(1));
      }
    }
    return map;
  }

  private static List<Long> longs(Object tuple) {
    return ((List<?>) tuple).stream().map(Long.class::cast).toList();
  }
}
