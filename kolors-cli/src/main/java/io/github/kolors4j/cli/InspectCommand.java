package io.github.kolors4j.cli;

import io.github.kolors4j.checkpoint.FiniteWeights;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is in a checkpoint. */
@Command(
    name = "inspect",
    description = "Lists the tensors of a safetensors file, a component or a whole checkpoint.",
    sortOptions = false)
final class InspectCommand implements Callable<Integer> {
  private static final String MODEL_INDEX = "model_index.json";
  private static final String CONFIG = "config.json";

  private static final String SUFFIX = ".safetensors";

  /** What diffusers and transformers call their weights. */
  private static final List<String> BASE_NAMES = List.of("diffusion_pytorch_model", "model");

  private final Terminal terminal;

  @Parameters(paramLabel = "DIR|FILE", description = "A checkpoint, a component or a file.")
  private Path path;

  @Option(
      names = "--variant",
      paramLabel = "V",
      description =
          "Which copy of a checkpoint's weights, as generate takes it. Default: fp16, else the"
              + " plain ones, else the only ones.")
  private String variant;

  @Option(
      names = "--check",
      description = "Read all values, and end with an error at the first NaN or infinity.")
  private boolean check;

  @Option(names = "--json", description = "One line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  InspectCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** A part of a checkpoint; {@code className} is empty where no config names it. */
  private record Component(String name, String className, List<TensorInfo> tensors) {
    long parameters() {
      return ParameterCount.of(tensors);
    }
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(path)) {
      throw new IOException("[inspect] " + path + " does not exist.");
    }
    if (!Files.isDirectory(path)) {
      print(List.of(new Component("", "", tensors(path))), path);
    } else if (Files.isRegularFile(path.resolve(MODEL_INDEX))) {
      print(components(), path);
    } else {
      print(List.of(component(name(path), path, className(path))), path);
    }
    return KolorsCommand.OK;
  }

  private List<Component> components() throws IOException {
    List<Component> components = new ArrayList<>();
    for (Map.Entry<String, Object> entry : read(path.resolve(MODEL_INDEX)).entrySet()) {
      // "unet": ["diffusers", "UNet2DConditionModel"]; null twice for a part that is not there
      if (entry.getValue() instanceof List<?> pair
          && pair.size() == 2
          && pair.get(1) instanceof String className) {
        Path directory = path.resolve(entry.getKey()).normalize();
        if (!path.normalize().equals(directory.getParent())) {
          throw new IOException(
              "[inspect] %s: \"%s\" is not the name of a folder in it."
                  .formatted(path.resolve(MODEL_INDEX), entry.getKey()));
        }
        components.add(component(entry.getKey(), directory, className));
      }
    }
    return components;
  }

  private Component component(String name, Path directory, String className) throws IOException {
    Variant chosen = ModelLocation.variant(Optional.ofNullable(variant));
    if (!Files.isDirectory(directory)) {
      throw new IOException("[inspect] the folder " + directory + " does not exist.");
    }
    List<String> files;
    try (Stream<Path> listed = Files.list(directory)) {
      files = listed.map(InspectCommand::name).sorted().toList();
    }
    for (String base : BASE_NAMES) {
      if (files.stream().anyMatch(file -> file.startsWith(base + ".") && isWeights(file))) {
        try (TensorSource source = ShardedSafetensors.open(directory, base, chosen)) {
          return new Component(name, className, tensors(source));
        }
      }
    }
    List<TensorInfo> tensors = new ArrayList<>();
    for (String file : files) {
      if (file.endsWith(SUFFIX)) {
        tensors.addAll(tensors(directory.resolve(file)));
      }
    }
    return new Component(name, className, tensors);
  }

  private static boolean isWeights(String file) {
    return file.endsWith(SUFFIX) || file.contains(SUFFIX + ".index");
  }

  private List<TensorInfo> tensors(Path file) throws IOException {
    try (TensorSource source = TensorSource.open(file)) {
      return tensors(source);
    }
  }

  private List<TensorInfo> tensors(TensorSource source) throws IOException {
    if (check) {
      new FiniteWeights(source).require();
    }
    return source.names().stream().map(name -> source.find(name).orElseThrow()).toList();
  }

  private static String className(Path directory) throws IOException {
    Path file = directory.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      return "";
    }
    Map<String, Object> config = read(file);
    if (config.get("_class_name") instanceof String name) {
      return name;
    }
    return config.get("architectures") instanceof List<?> names
            && !names.isEmpty()
            && names.getFirst() instanceof String name
        ? name
        : "";
  }

  private static Map<String, Object> read(Path path) throws IOException {
    JsonFile file = new JsonFile("inspect", path.toString());
    return file.object(file.text(path, JsonFile.MAX_CONFIG_BYTES));
  }

  private static String name(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? "" : name.toString();
  }

  private void print(List<Component> components, Path root) {
    boolean directory = Files.isDirectory(root);
    if (json) {
      Map<String, Object> object = new LinkedHashMap<>();
      if (directory) {
        object.put("components", componentsJson(components));
      }
      List<Map<String, Object>> tensors = new ArrayList<>();
      for (Component component : components) {
        component.tensors().forEach(tensor -> tensors.add(tensorJson(tensor, root)));
      }
      object.put("tensors", tensors);
      terminal.out().println(JsonWriter.compact(object));
      return;
    }
    for (Component component : components) {
      if (directory) {
        terminal
            .out()
            .printf(
                Locale.ROOT,
                "%s: %s, %,d parameters%n",
                component.name(),
                component.className().isEmpty() ? "(no class named)" : component.className(),
                component.parameters());
      }
      for (TensorInfo tensor : component.tensors()) {
        terminal
            .out()
            .printf(
                "  %s  %s  %s  %s%n",
                tensor.name(), tensor.dtype(), tensor.shape(), file(tensor, root));
      }
    }
  }

  private static Map<String, Object> componentsJson(List<Component> components) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (Component component : components) {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put("class", component.className());
      values.put("parameters", component.parameters());
      object.put(component.name(), values);
    }
    return object;
  }

  private static Map<String, Object> tensorJson(TensorInfo tensor, Path root) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("name", tensor.name());
    object.put("dtype", tensor.dtype().name());
    object.put("shape", tensor.shape());
    object.put("file", file(tensor, root));
    return object;
  }

  /** Seen from the folder that is inspected. */
  private static String file(TensorInfo tensor, Path root) {
    if (!Files.isDirectory(root)) {
      return root.toString();
    }
    Path base = root.toAbsolutePath().normalize();
    Path file = tensor.file().toAbsolutePath().normalize();
    return (file.startsWith(base) ? base.relativize(file) : tensor.file())
        .toString()
        .replace('\\', '/');
  }
}
