package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
  private static final class Model {
    private final String component;
    private final Inventory files;
    private final List<WeightAdapter> adapters;
    private final Map<String, List<Long>> defined = new LinkedHashMap<>();
    private @Nullable InvalidFileException firstFault;
    private @Nullable String firstMissing;
    private int missing;
    private @Nullable String firstAbsent;

    private Model(String component, Inventory files, List<WeightAdapter> adapters) {
      this.component = component;
      this.files = files;
      this.adapters = List.copyOf(adapters);
    }

    private InvalidFileException fault(Path file, String what) {
      return new InvalidFileException("[weights] %s (%s): %s".formatted(component, file, what));
    }

    private void note(InvalidFileException fault) {
      firstFault = firstFault == null ? fault : firstFault;
    }
  }

  private final Model model;
  private final String prefix;
  private final Need need;

  private Weights(Model model, String prefix, Need need) {
    this.model = model;
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
    return of(component, source, List.of());
  }

  /**
   * All parameters of a model, as adapters change them.
   *
   * @param component the model's folder in the checkpoint, for messages
   * @param source the files; where an adapter reads the same ones, their {@link Inventory}, so that
   *     what it has asked for counts as known
   * @param adapters what replaces or extends the stored weights, in this order
   * @return the view of all
   */
  public static Weights of(String component, TensorSource source, List<WeightAdapter> adapters) {
    return new Weights(new Model(component, Inventory.of(source), adapters), "", Need.REQUIRED);
  }

  /** All parameters of the same model once more, with adapters after those that it has. */
  Weights adapted(List<WeightAdapter> adapters) {
    List<WeightAdapter> chain = new ArrayList<>(model.adapters);
    chain.addAll(adapters);
    return of(model.component, model.files, chain);
  }

  String component() {
    return model.component;
  }

  List<String> adapterIdentities() {
    return model.adapters.stream().map(WeightAdapter::identity).toList();
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
    return new Weights(model, prefix + name + ".", need);
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
    boolean former = model.files.find(prefix + formerName + ".weight").isPresent();
    return at(former ? formerName : name);
  }

  /**
   * The same parameters as ones that the model defines and this library does not read: where they
   * are present, their shapes are checked.
   *
   * @return the view; its weights have no values
   */
  public Weights unread() {
    return new Weights(model, prefix, Need.UNREAD);
  }

  /**
   * The same parameters as ones that a checkpoint may lack: {@link #firstAbsent} tells whether it
   * does.
   *
   * @return the view; a weight that is not in the files has no values
   */
  public Weights optional() {
    return new Weights(model, prefix, Need.OPTIONAL);
  }

  /**
   * The first parameter that was asked for as {@link #optional} and is not in the files.
   *
   * @return its name, or nothing where all are there
   */
  public Optional<String> firstAbsent() {
    return Optional.ofNullable(model.firstAbsent);
  }

  /**
   * One parameter.
   *
   * @param name its name below the prefix
   * @param dims the shape that the model gives it
   * @return the weight: over the mapped file, or what the adapters made of it
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
   * @return the weight: over the mapped file, or what the adapters made of it
   */
  public Weight viewed(String name, int[] stored, int[] wanted) {
    String key = prefix + name;
    List<Long> expected = Arrays.stream(stored).mapToObj(Long::valueOf).toList();
    model.defined.put(key, expected);
    Optional<TensorInfo> found = model.files.find(key);
    try {
      Optional<Weight> base = replacement(key, wanted);
      if (base.isEmpty() && found.isPresent()) {
        base = stored(key, found.get(), expected, wanted);
      } else if (base.isEmpty()) {
        absent(key);
      }
      return base.isPresent() ? extended(key, base.get()) : standIn(key);
    } catch (InvalidFileException e) {
      model.note(e);
      return standIn(key);
    }
  }

  private void absent(String key) {
    if (need == Need.REQUIRED) {
      model.missing++;
      model.firstMissing = model.firstMissing == null ? key : model.firstMissing;
    } else if (need == Need.OPTIONAL && model.firstAbsent == null) {
      model.firstAbsent = key;
    }
  }

  /** The weight as the file has it, nothing where its values are not wanted. */
  private Optional<Weight> stored(String key, TensorInfo info, List<Long> expected, int[] wanted)
      throws InvalidFileException {
    Optional<QuantizedTensor> quantized = QuantizedTensor.of(model.files, info, expected);
    List<Long> stored = quantized.map(of -> of.storedShape(expected)).orElse(expected);
    if (!info.shape().equals(stored)) {
      throw model.fault(
          info.file(),
          "%s has the shape %s; its config asks for %s."
              .formatted(key, shown(info.shape()), expected));
    }
    if (need == Need.UNREAD) {
      return Optional.empty();
    }
    Optional<DType> dtype = dtype(info);
    if (dtype.isEmpty() && quantized.isEmpty()) {
      throw model.fault(info.file(), unsupported(key, info));
    }
    if (expected.stream().mapToDouble(Long::doubleValue).reduce(1, (a, b) -> a * b)
        > Integer.MAX_VALUE) {
      throw model.fault(
          info.file(),
          "%s has the shape %s; 2^31-1 values are the most.".formatted(key, info.shape()));
    }
    Shape shape = Shape.of(wanted);
    return Optional.of(
        quantized.isPresent()
            ? quantized.get().weight(model.files, key, shape)
            : new StoredWeight(key, shape, dtype.orElseThrow(), model.files.data(key)));
  }

  private String unsupported(String key, TensorInfo info) {
    boolean integers = info.dtype() == io.github.kolors4j.safetensors.DType.I8;
    return "%s is stored as %s: F32, F16, BF16 and F8_E4M3 are read%s. Convert it."
        .formatted(
            key,
            info.dtype(),
            integers ? ", and I8 with the scales " + QuantizedTensor.scaleName(key) : "");
  }

  private Optional<Weight> replacement(String key, int[] wanted) throws InvalidFileException {
    if (need == Need.UNREAD) {
      return Optional.empty();
    }
    for (WeightAdapter adapter : model.adapters) {
      Shape shape = Shape.of(wanted);
      Optional<Weight> replacement = adapter.replace(key, shape);
      if (replacement.isPresent()) {
        return Optional.of(checked(key, replacement.get(), shape));
      }
    }
    return Optional.empty();
  }

  private Weight extended(String key, Weight base) throws InvalidFileException {
    Weight weight = base;
    for (WeightAdapter adapter : model.adapters) {
      weight = checked(key, adapter.extend(key, weight), base.shape());
    }
    return weight;
  }

  /** An adapter's weight, whose shape is the adapter's duty. */
  private static Weight checked(String key, Weight adapted, Shape wanted) {
    if (!adapted.shape().equals(wanted)) {
      throw new IllegalStateException(
          "[weights] an adapter gives %s the shape %s: %s is needed."
              .formatted(key, adapted.shape(), wanted));
    }
    return adapted;
  }

  /**
   * The files.
   *
   * @return the inventory of what has been asked of them
   */
  public Inventory files() {
    return model.files;
  }

  /**
   * What was asked for so far, those parameters included that are defined and not read.
   *
   * @return names and shapes, in the order in which they were asked for
   */
  public List<Parameter> defined() {
    return model.defined.entrySet().stream()
        .map(entry -> new Parameter(entry.getKey(), entry.getValue()))
        .toList();
  }

  /**
   * Ends the loading of a model.
   *
   * @throws InvalidFileException if a tensor is missing, has another shape than the config says or
   *     a type that is not supported, or is not one of the model's; with the file
   */
  public void requireComplete() throws InvalidFileException {
    if (model.firstFault != null) {
      throw model.firstFault;
    }
    if (model.missing > 0) {
      throw model.fault(
          model.files.path(),
          "%s %s expected but missing (first: %s)."
              .formatted(
                  model.missing, model.missing == 1 ? "tensor" : "tensors", model.firstMissing));
    }
    List<TensorInfo> unasked = model.files.unasked();
    if (!unasked.isEmpty()) {
      TensorInfo first = unasked.getFirst();
      throw model.fault(
          first.file(),
          "%s %s not of this model (first: %s). A file of another model, or a config that does not fit?"
              .formatted(
                  unasked.size(),
                  unasked.size() == 1 ? "tensor is" : "tensors are",
                  shown(first.name())));
    }
  }

  /** What a file says, which may be of any length. */
  private static String shown(Object ofFile) {
    return ForeignText.oneLine(ofFile.toString());
  }

  private static Weight standIn(String key) {
    return Weight.of(key, NOTHING);
  }

  /** The type of a tensor, where it is one that can be computed with. */
  static Optional<DType> dtype(TensorInfo info) {
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
