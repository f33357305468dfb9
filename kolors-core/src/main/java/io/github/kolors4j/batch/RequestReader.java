package io.github.kolors4j.batch;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.AdapterArgument;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of rows: what a row does not say, the defaults do. For one thread.
 *
 * <p>A row without a seed gets one that depends on its id alone, so that a batch that is started
 * again draws the same: the first 32 bits of the SHA-256 of {@code "kolors4j batch seed\n"}, the id
 * and a newline, as an unsigned number.
 */
public final class RequestReader {
  private static final String PROMPT = "prompt";
  private static final String SEED = "seed";
  private static final String SCHEDULER = "scheduler";
  private static final String SCHEDULER_OPTIONS = "scheduler_options";
  private static final String ADAPTERS = "adapters";
  private static final String FILE = "file";

  /** Arguments that are texts also where they look like a number. */
  private static final Set<String> TEXTS =
      Set.of(
          BatchTable.ID,
          PROMPT,
          "negative_prompt",
          "image",
          SCHEDULER,
          "rng",
          "output_type",
          "compat");

  /** As pandas writes whole numbers of a column that has gaps. */
  private static final Pattern WHOLE = Pattern.compile("(-?[0-9]+)\\.0+");

  /** Of which a row says one, and then not the others of the defaults. */
  private static final Set<String> STEPS = Set.of("num_inference_steps", "timesteps", "sigmas");

  private static final Set<String> ARGUMENTS = BatchTable.argumentsOfRows();

  private static final int HASH_DIGITS = 16;
  private static final int SEED_DIGITS = 8;

  private final KolorsPipeline pipeline;
  private final Map<String, @Nullable Object> defaults;
  private final RequestFiles files;
  private final FileArguments fileArguments;
  private final Map<String, Object> nothingSaid;
  private final Map<String, Scheduler> schedulers = new LinkedHashMap<>();

  private final RecentlyUsed<Path, Adapter> adapters = new RecentlyUsed<>(Adapter::load);

  /**
   * A reader of rows for a model.
   *
   * @param pipeline whose scheduler rows take that name none
   * @param defaults arguments of rows that do not say otherwise, by diffusers' names, as JSON has
   *     them
   * @param files those that rows name
   * @throws IllegalArgumentException if a default is not the name of an argument
   */
  public RequestReader(
      KolorsPipeline pipeline,
      Map<String, ? extends @Nullable Object> defaults,
      RequestFiles files) {
    this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
    this.defaults = new LinkedHashMap<>(defaults);
    this.files = Objects.requireNonNull(files, "files");
    this.fileArguments = new FileArguments(files);
    this.nothingSaid = parsed(ImageRequest.of("").toJson());
    for (String name : defaults.keySet()) {
      if (!isArgument(name)) {
        throw new IllegalArgumentException(
            "[batch] the default %s is no argument: use the names of diffusers' arguments."
                .formatted(name));
      }
    }
  }

  /**
   * Whether a column is an argument, or one that is carried along.
   *
   * @param column its name
   * @return whether rows are read by it
   */
  public static boolean isArgument(String column) {
    return ARGUMENTS.contains(column);
  }

  /**
   * The value of a cell of a table of texts, as CSV is: a text where the argument is one, and in
   * columns that are carried along; else what JSON makes of it, where it is such.
   *
   * @param column its name
   * @param text of the cell; of numbers and truth values also as pandas writes them, {@code 25.0}
   *     for 25 and {@code True}
   * @return a value as JSON has it
   */
  public static Object valueOf(String column, String text) {
    boolean isList = text.startsWith("[") || text.startsWith("{");
    if (TEXTS.contains(column)
        || !isArgument(column)
        || (FileArguments.FILES.contains(column) && !isList)) {
      return text;
    }
    String stripped = text.strip();
    var whole = WHOLE.matcher(stripped);
    String json =
        switch (stripped) {
          case "True", "TRUE" -> "true";
          case "False", "FALSE" -> "false";
          default -> whole.matches() ? whole.group(1) : stripped;
        };
    try {
      Object value = JsonReader.of(json).document();
      return value == null ? text : value;
    } catch (JsonException _) {
      return text;
    }
  }

  /**
   * The request of a row. Files that it names are read to hash them, and pictures are not kept.
   *
   * @param row the row
   * @return the request
   * @throws IllegalArgumentException if the row cannot be a request; the message is for its writer
   * @throws IOException if a file that it names cannot be read
   */
  public BatchRequest read(TableRow row) throws IOException {
    if (row.fault().isPresent()) {
      throw new IllegalArgumentException(row.fault().get());
    }
    Map<String, @Nullable Object> arguments = merged(row.values());
    if (!(arguments.get(PROMPT) instanceof String) && arguments.get("prompt_embeds") == null) {
      throw new IllegalArgumentException(
          arguments.get(PROMPT) == null
              ? "[batch] the row has no prompt: every row needs one, which may be \"\"."
              : "[batch] the prompt is %s: a row is one picture, and its prompt one text."
                  .formatted(JsonWriter.abbreviated(arguments.get(PROMPT))));
    }
    arguments.put(SEED, seed(arguments.get(SEED), row.id()));

    Map<String, @Nullable Object> ofRequest = new LinkedHashMap<>(arguments);
    Scheduler scheduler = scheduler(ofRequest);
    List<FileArgument> named = fileArguments.take(ofRequest);
    Optional<Adapters> withAdapters = adapters(ofRequest);
    ImageRequest request = ImageRequest.fromJson(JsonWriter.compact(ofRequest));
    if (withAdapters.isPresent()) {
      request = request.toBuilder().adapters(withAdapters.get()).build();
    }
    if (request.numImages() != 1 || request.outputType() != OutputType.IMAGE) {
      throw new IllegalArgumentException(
          "[batch] the row asks for %s: a row is one picture, write another one for each."
              .formatted(
                  request.outputType() == OutputType.IMAGE
                      ? request.numImages() + " pictures"
                      : "latents"));
    }
    return new BatchRequest(
        row.id(), arguments, request, named, scheduler, hash(row.id(), request, named, scheduler));
  }

  /** What the row says, and else the defaults. */
  private Map<String, @Nullable Object> merged(Map<String, @Nullable Object> values) {
    Map<String, @Nullable Object> merged = new LinkedHashMap<>();
    merged.put("negative_prompt", ""); // as the command line, also where a model has zeros for none
    merged.putAll(defaults);
    boolean ownSteps = values.entrySet().stream().anyMatch(RequestReader::saysSteps);
    if (ownSteps) {
      merged.keySet().removeAll(STEPS);
    }
    if (values.get(SCHEDULER) != null) {
      merged.remove(SCHEDULER_OPTIONS);
    }
    values.forEach(
        (name, value) -> {
          if (value != null && isArgument(name)) {
            merged.put(name, value);
          }
        });
    return merged;
  }

  private static boolean saysSteps(Map.Entry<String, @Nullable Object> entry) {
    return entry.getValue() != null && STEPS.contains(entry.getKey());
  }

  private static long seed(@Nullable Object given, String id) {
    if (given == null) {
      String digits = new Identity().add("kolors4j batch seed").add(id).digits();
      return Long.parseLong(digits.substring(0, SEED_DIGITS), 16);
    }
    String text = given.toString().strip();
    try {
      return text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "[batch] seed %s is not a whole number of 64 bits, 0 to 2^64-1."
              .formatted(JsonWriter.abbreviated(given instanceof Number ? text : given)),
          e);
    }
  }

  /** Takes the scheduler out of the arguments. */
  private Scheduler scheduler(Map<String, @Nullable Object> arguments) {
    @Nullable Object name = arguments.remove(SCHEDULER);
    @Nullable Object given = arguments.remove(SCHEDULER_OPTIONS);
    if (name == null && given == null) {
      return pipeline.scheduler();
    }
    if (name != null && !(name instanceof String)) {
      throw new IllegalArgumentException(
          "[batch] scheduler is %s: use a name, as euler.".formatted(JsonWriter.abbreviated(name)));
    }
    if (given != null && !(given instanceof Map)) {
      throw new IllegalArgumentException(
          "[batch] scheduler_options are %s: use an object, as {\"use_karras_sigmas\": true}."
              .formatted(JsonWriter.abbreviated(given)));
    }
    String key = name + " " + JsonWriter.line(given);
    Scheduler known = schedulers.get(key);
    if (known == null) {
      Map<?, ?> options = given instanceof Map<?, ?> map ? map : Map.of();
      known = Schedulers.chosen(pipeline.scheduler(), (String) name, options);
      schedulers.put(key, known);
    }
    return known;
  }

  /** Takes adapters that are named as {@code FILE[=WEIGHT]} out of the arguments. */
  private Optional<Adapters> adapters(Map<String, @Nullable Object> arguments) throws IOException {
    @Nullable Object given = arguments.get(ADAPTERS);
    if (given == null) {
      return Optional.empty();
    }
    List<?> all = given instanceof List<?> list ? list : List.of(given);
    if (!all.stream().allMatch(String.class::isInstance)) {
      return Optional.empty(); // as a request's own JSON has them
    }
    arguments.remove(ADAPTERS);
    Adapters adapters = Adapters.NONE;
    for (Object each : all) {
      adapters = adapters.and(adapter(each.toString()));
    }
    return Optional.of(adapters);
  }

  private Adapters adapter(String text) throws IOException {
    AdapterArgument argument = AdapterArgument.parse(text);
    return argument.of(loaded(argument.file()));
  }

  private Adapter loaded(String name) throws IOException {
    return adapters.get(files.adapter(name));
  }

  /** Over what is said, and not over defaults, of which another version may have more. */
  private String hash(
      String id, ImageRequest request, List<FileArgument> named, Scheduler scheduler) {
    Identity identity =
        new Identity()
            .add("kolors4j batch")
            .add(id)
            .add(pipeline.identity().hash())
            .add(pipeline.precision().toString())
            .add(scheduler.className());
    SchedulerConfig config = scheduler.config();
    config.keys().stream()
        .filter(key -> !config.isDefault(key))
        .sorted()
        .forEach(key -> identity.add(key + "=" + SchedulerConfig.formatValue(config.get(key))));
    Map<String, @Nullable Object> said = new TreeMap<>(parsed(request.toJson()));
    said.entrySet()
        .removeIf(entry -> Objects.equals(entry.getValue(), nothingSaid.get(entry.getKey())));
    said.computeIfPresent(ADAPTERS, (_, uses) -> withoutFiles(uses));
    identity.add(JsonWriter.compact(said));
    named.forEach(files -> identity.add(files.identity()));
    return identity.digits().substring(0, HASH_DIGITS);
  }

  /** An adapter is known by its own hash, wherever it is. */
  private static List<Object> withoutFiles(Object uses) {
    return ((List<?>) uses)
        .stream()
            .<Object>map(
                use -> {
                  Map<String, Object> known = new TreeMap<>();
                  ((Map<?, ?>) use).forEach((key, value) -> known.put(key.toString(), value));
                  known.remove(FILE);
                  return known;
                })
            .toList();
  }

  /** What a request says as a row would, with its defaults. */
  static Map<String, @Nullable Object> arguments(ImageRequest request) {
    Map<String, @Nullable Object> arguments = new LinkedHashMap<>(parsed(request.toJson()));
    arguments.keySet().removeIf(name -> !isArgument(name));
    return arguments;
  }

  private static Map<String, Object> parsed(String json) {
    try {
      return JsonReader.of(json).object();
    } catch (JsonException e) {
      throw new IllegalStateException(e); // we wrote it
    }
  }

  /** A seed as JSON has it: from 0 to 2⁶⁴−1. */
  static BigInteger unsigned(long seed) {
    return new BigInteger(Long.toUnsignedString(seed));
  }
}
