package io.github.kolors4j.cli;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Finds the files that a picture was made with and names, but does not hold: LoRA, ControlNets and
 * IP-Adapters. Each is known by its hash, so their order is of no matter: first those that an
 * option names are looked at, then the one of that name in the current folder, then the mini
 * checkpoint's.
 */
final class ReplayedFiles {
  @Option(
      names = "--lora",
      paramLabel = "FILE",
      description =
          "A LoRA that the picture was made with, known by its SHA-256. Repeatable, in any order."
              + " Default: the file of its name in the current folder.")
  private List<Path> loras = new ArrayList<>();

  @Option(
      names = "--controlnet",
      paramLabel = "DIR|REPO|mini",
      description =
          "A ControlNet that it was made with. Repeatable, in any order. Default: the folder of its"
              + " name in the current one, or the mini checkpoint's own.")
  private List<String> controlNets = new ArrayList<>();

  @Option(
      names = "--ip-adapter",
      paramLabel = "DIR|FILE|REPO|mini",
      description =
          "An IP-Adapter that it was made with. Repeatable, in any order. Default: the file of its"
              + " name in the current folder, or the mini checkpoint's own.")
  private List<String> ipAdapters = new ArrayList<>();

  @Option(
      names = "--image-encoder",
      paramLabel = "DIR",
      description = "The IP-Adapters' image encoder. Default: the folder beside each.")
  private @Nullable Path imageEncoder;

  /** How one is read. */
  @FunctionalInterface
  private interface Reader<T> {
    T read(Path path) throws IOException;
  }

  /** The request with files that are there. */
  ImageRequest find(Path picture, ImageRequest request, Repositories repositories)
      throws IOException {
    return request.toBuilder()
        .adapters(Adapters.of(uses(picture, request)))
        .controlNets(inputs(picture, request, repositories))
        .imagePrompts(prompts(picture, request, repositories))
        .build();
  }

  /**
   * A U-Net that is shipped and may be in the place of a checkpoint's.
   *
   * @param hash of the picture's U-Net
   * @param checkpoint whose configuration it has
   * @return its file; empty where the picture was made with another one
   */
  static Optional<Path> shippedUnet(String hash, Path checkpoint) throws IOException {
    Path file = MiniCheckpoint.inpaintingUnet();
    try (UNet2DConditionModel unet =
        UNet2DConditionModel.loadFile(checkpoint.resolve("unet"), file)) {
      return unet.identity().equals(hash) ? Optional.of(file) : Optional.empty();
    } catch (InvalidFileException _) {
      return Optional.empty(); // for a model of other sizes
    }
  }

  private List<Adapters.Use> uses(Path picture, ImageRequest request) throws IOException {
    Search<Adapter> search = new Search<>(picture, "--lora", "LoRA", Adapter::load, List.of());
    for (Path lora : loras) {
      search.give(lora.toString(), lora);
    }
    List<Adapters.Use> uses = new ArrayList<>();
    for (Adapters.Use use : request.adapters().uses()) {
      Adapter adapter = search.find(use.adapter(), use.adapter().path(), use.adapter().sha256());
      uses.add(new Adapters.Use(adapter, use.unet(), use.textEncoder(), use.blocks()));
    }
    search.requireAllUsed();
    return uses;
  }

  private List<ControlNetInput> inputs(
      Path picture, ImageRequest request, Repositories repositories) throws IOException {
    Search<ControlNet> search =
        new Search<>(
            picture,
            "--controlnet",
            "ControlNet",
            ControlNet::of,
            List.of(MiniCheckpoint::controlNet));
    for (String name : controlNets) {
      search.give(name, NamedModel.CONTROL_NET.find("--controlnet", name, repositories));
    }
    List<ControlNetInput> inputs = new ArrayList<>();
    for (ControlNetInput input : request.controlNets()) {
      ControlNet net = input.controlNet();
      inputs.add(
          new ControlNetInput(
              search.find(net, net.directory(), net.identity()),
              input.image(),
              input.conditioningScale(),
              input.guidanceStart(),
              input.guidanceEnd(),
              input.guessMode()));
    }
    search.requireAllUsed();
    return inputs;
  }

  private List<ImagePrompt> prompts(Path picture, ImageRequest request, Repositories repositories)
      throws IOException {
    Search<IpAdapter> search =
        new Search<>(
            picture,
            "--ip-adapter",
            "IP-Adapter",
            path -> imageEncoder == null ? IpAdapter.of(path) : IpAdapter.of(path, imageEncoder),
            List.of(MiniCheckpoint::ipAdapter));
    for (String name : ipAdapters) {
      search.give(name, NamedModel.IP_ADAPTER.find("--ip-adapter", name, repositories));
    }
    List<ImagePrompt> prompts = new ArrayList<>();
    for (ImagePrompt prompt : request.imagePrompts()) {
      IpAdapter told = prompt.adapter();
      IpAdapter adapter =
          withEncoder(search.find(told, told.file(), told.identity()), told.imageEncoder());
      if (adapter.imageEncoder().isEmpty() && !prompt.images().isEmpty()) {
        throw new InvalidFileException(
            "[replay] the IP-Adapter %s has no image encoder beside it: give its folder with --image-encoder."
                .formatted(adapter.file()));
      }
      prompts.add(
          new ImagePrompt(
              adapter,
              prompt.images(),
              prompt.embeds(),
              prompt.faceEmbedding(),
              prompt.scale(),
              prompt.blocks(),
              prompt.masks()));
    }
    search.requireAllUsed();
    return prompts;
  }

  /** An encoder that was not beside its adapter may be in the current folder. */
  private static IpAdapter withEncoder(IpAdapter adapter, Optional<Path> told) throws IOException {
    return adapter.imageEncoder().isEmpty() && told.filter(Files::isDirectory).isPresent()
        ? IpAdapter.of(adapter.file(), told.get())
        : adapter;
  }

  /** Where the files of one kind may be; two are equal where their hashes are. */
  private static final class Search<T> {
    private final Path picture;
    private final String option;
    private final String kind;
    private final Reader<T> reader;
    private final List<Shipped> shipped;
    private final List<String> names = new ArrayList<>();
    private final List<T> given = new ArrayList<>();
    private final List<T> found = new ArrayList<>();

    /** One that is shipped with the program. */
    @FunctionalInterface
    private interface Shipped {
      Path path() throws IOException;
    }

    Search(Path picture, String option, String kind, Reader<T> reader, List<Shipped> shipped) {
      this.picture = picture;
      this.option = option;
      this.kind = kind;
      this.reader = reader;
      this.shipped = shipped;
    }

    void give(String name, Path path) throws IOException {
      names.add(name);
      given.add(reader.read(path));
    }

    T find(T wanted, Path name, String hash) throws IOException {
      T same = same(wanted, name);
      if (same == null) {
        throw new InvalidFileException(
            "[replay] %s was made with the %s %s, whose hash is %s, and that is neither in %s nor given: name it with %s."
                .formatted(picture, kind, name, hash, Path.of("").toAbsolutePath(), option));
      }
      found.add(same);
      return same;
    }

    private @Nullable T same(T wanted, Path name) throws IOException {
      for (T each : given) {
        if (each.equals(wanted)) {
          return each;
        }
      }
      if (Files.exists(name)) {
        try {
          T here = reader.read(name);
          if (here.equals(wanted)) {
            return here;
          }
        } catch (InvalidFileException _) {
          // Something else has this name.
        }
      }
      for (Shipped each : shipped) {
        T ours = reader.read(each.path());
        if (ours.equals(wanted)) {
          return ours;
        }
      }
      return null;
    }

    /** A file that was given by mistake may stand for one that was found by its name. */
    void requireAllUsed() throws InvalidFileException {
      for (int i = 0; i < given.size(); i++) {
        if (!found.contains(given.get(i))) {
          throw new InvalidFileException(
              "[replay] %s %s: %s was not made with it; leave it out."
                  .formatted(option, names.get(i), picture));
        }
      }
    }
  }
}
