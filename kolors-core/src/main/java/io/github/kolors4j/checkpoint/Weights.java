package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The parameters of a model by their names in the checkpoint: a view below a prefix, so that each
 * layer asks for its own. Nothing is read but names and shapes; the values stay in the mapped file.
 *
 * <p>Every name that is asked for is noted. {@link #requireComplete} then throws for the first
 * fault of the whole model: a tensor of another shape or type, one that is missing, or one that the
 * model does not define. Until it has passed, a weight may be a stand-in without values.
 */
public final class Weights {
  private static final Shape NOTHING = Shape.of(0);

  /** What becomes of a parameter that is not in the files, and of one that is. */
  private enum Need {
    REQUIRED,
    OPTIONAL,
    UNREAD
  }

  /** What is known so far of the whole model; shared by all views. */
  private static final class Inventory {
    private final String component;
    private final TensorSource source;
    private final Map<String, List<Long>> defined = new LinkedHashMap<>();
    private String misshapen;
    private String firstMissing;
    private int missing;
    private String firstAbsent;

    private Inventory(String component, TensorSource source) {
      this.component = component;
      this.source = source;
    }
  }

  private final Inventory inventory;
  private final String prefix;
  private final Need need;

  private Weights(Inventory inventory, String prefix, Need need) {
    this.inventory = inventory;
    this.prefix = prefix;
    this.need = need;
  }

  /**
   * All parameters of a model.
   *
   * @param component the model's folder in the checkpoint, for messages
   * @param source the files
   * @return the view of all
   */
  public static Weights of(String component, TensorSource source) {
    return new Weights(new Inventory(component, source), "", Need.REQUIRED);
  }

  /**
   * The parameters of a model that has no files: none is found, but {@link #defined} tells which
   * ones it asks for, so that the layers are the only list of them.
   *
   * @param component the model's folder in the checkpoint, for messages
   * @return the view of all
   */
  public static Weights definitions(String component) {
    return of(component, new NoTensors());
  }

  /**
   * The name that these parameters are below, without the last dot.
   *
   * @return PyTorch's name of the layer, as {@code mid_block.attentions.0}; empty for the model
   */
  public String name() {
    return prefix.isEmpty() ? prefix : prefix.substring(0, prefix.length() - 1);
  }

  /**
   * The parameters below a name.
   *
   * @param name one step or several, as {@code attn1.to_out.0}
   * @return the view
   */
  public Weights at(String name) {
    return new Weights(inventory, prefix + name + ".", need);
  }

  /**
   * The parameters of one layer of a list.
   *
   * @param index which
   * @return the view
   */
  public Weights at(int index) {
    return at(Integer.toString(index));
  }

  /**
   * The parameters below a name that older checkpoints spell in another way.
   *
   * @param name today's name
   * @param formerName the name to take where the file has a {@code weight} below it
   * @return the view
   */
  public Weights at(String name, String formerName) {
    boolean former = inventory.source.find(prefix + formerName + ".weight").isPresent();
    return at(former ? formerName : name);
  }

  /**
   * The same parameters as ones that the model defines and this library does not read: where they
   * are present, their shapes are checked.
   *
   * @return the view; its weights have no values
   */
  public Weights unread() {
    return new Weights(inventory, prefix, Need.UNREAD);
  }

  /**
   * The same parameters as ones that a checkpoint may lack: {@link #firstAbsent} tells whether it
   * does.
   *
   * @return the view; a weight that is not in the files has no values
   */
  public Weights optional() {
    return new Weights(inventory, prefix, Need.OPTIONAL);
  }

  /**
   * The first parameter that was asked for as {@link #optional} and is not in the files.
   *
   * @return its name, or nothing where all are there
   */
  public Optional<String> firstAbsent() {
    return Optional.ofNullable(inventory.firstAbsent);
  }

  /**
   * One parameter.
   *
   * @param name its name below the prefix
   * @param dims the shape that the model gives it
   * @return the weight, over the mapped file
   */
  public Weight weight(String name, int... dims) {
    return viewed(name, dims, dims);
  }

  /**
   * One parameter under another shape of as many values.
   *
   * @param name its name below the prefix
   * @param stored the shape that the model gives it
   * @param wanted the shape that is wanted here
   * @return the weight, over the mapped file
   */
  public Weight viewed(String name, int[] stored, int[] wanted) {
    String key = prefix + name;
    List<Long> expected = Arrays.stream(stored).mapToObj(Long::valueOf).toList();
    inventory.defined.put(key, expected);
    Optional<TensorInfo> found = inventory.source.find(key);
    if (found.isEmpty()) {
      if (need == Need.REQUIRED) {
        inventory.missing++;
        inventory.firstMissing = inventory.firstMissing == null ? key : inventory.firstMissing;
      } else if (need == Need.OPTIONAL && inventory.firstAbsent == null) {
        inventory.firstAbsent = key;
      }
      return standIn(key);
    }
    TensorInfo info = found.get();
    if (!info.shape().equals(expected)) {
      note("%s has the shape %s; its config asks for %s.".formatted(key, info.shape(), expected));
      return standIn(key);
    }
    if (need == Need.UNREAD) {
      return standIn(key);
    }
    Optional<DType> dtype = dtype(info);
    if (dtype.isEmpty()) {
      note(
          "%s is stored as %s; only F32, F16 and BF16 are supported.".formatted(key, info.dtype()));
      return standIn(key);
    }
    if (expected.stream().mapToDouble(Long::doubleValue).reduce(1, (a, b) -> a * b)
        > Integer.MAX_VALUE) {
      note("%s has the shape %s; 2^31-1 values are the most.".formatted(key, info.shape()));
      return standIn(key);
    }
    return new Weight(key, Shape.of(wanted), dtype.get(), inventory.source.data(key));
  }

  /**
   * The files.
   *
   * @return the source
   */
  public TensorSource source() {
    return inventory.source;
  }

  /**
   * What was asked for so far, those parameters included that are defined and not read.
   *
   * @return names and shapes, in the order in which they were asked for
   */
  public List<Parameter> defined() {
    return inventory.defined.entrySet().stream()
        .map(entry -> new Parameter(entry.getKey(), entry.getValue()))
        .toList();
  }

  /**
   * Ends the loading of a model.
   *
   * @throws InvalidFileException if a tensor is missing, has another shape than the config says or
   *     a type that is not supported, or is not one of the model's
   */
  public void requireComplete() throws InvalidFileException {
    if (inventory.misshapen != null) {
      throw fault(inventory.misshapen);
    }
    if (inventory.missing > 0) {
      throw fault(
          "%d %s expected but missing (first: %s)."
              .formatted(
                  inventory.missing,
                  inventory.missing == 1 ? "tensor" : "tensors",
                  inventory.firstMissing));
    }
    List<String> undefined =
        inventory.source.names().stream()
            .filter(name -> !inventory.defined.containsKey(name))
            .sorted()
            .toList();
    if (!undefined.isEmpty()) {
      throw fault(
          "%d %s not of this model (first: %s). A file of another model, or a config that does not fit?"
              .formatted(
                  undefined.size(),
                  undefined.size() == 1 ? "tensor is" : "tensors are",
                  undefined.getFirst()));
    }
  }

  private InvalidFileException fault(String what) {
    return new InvalidFileException("[weights] " + inventory.component + ": " + what);
  }

  private void note(String fault) {
    inventory.misshapen = inventory.misshapen == null ? fault : inventory.misshapen;
  }

  private static Weight standIn(String key) {
    return Weight.of(key, NOTHING);
  }

  private static Optional<DType> dtype(TensorInfo info) {
    return Arrays.stream(DType.values())
        .filter(dtype -> dtype.name().equals(info.dtype().name()))
        .findFirst();
  }

  /** A model without files. */
  private static final class NoTensors implements TensorSource {
    @Override
    public Set<String> names() {
      return Set.of();
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      return Optional.empty();
    }

    @Override
    public MemorySegment data(String name) {
      throw new IllegalArgumentException("[weights] there is no tensor " + name + ".");
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Path path() {
      return Path.of("");
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }
}
